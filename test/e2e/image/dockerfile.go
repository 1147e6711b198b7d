// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// stage is what an image takes from the last stage of a Dockerfile.
type stage struct {
	user       string
	entrypoint string // one absolute path: the binary
}

// lastStage understands as much as our Dockerfile needs and refuses the rest, so that an image is never made from half of it.
func lastStage(dockerfile string) (stage, error) {
	var s stage
	var copied string
	for line := range strings.Lines(strings.ReplaceAll(dockerfile, "\\\n", " ")) {
		instruction, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch instruction {
		case "FROM":
			s, copied = stage{}, ""
		case "COPY":
			words := strings.Fields(rest)
			copied = words[len(words)-1]
		case "USER":
			s.user = rest
		case "ENTRYPOINT":
			var err error
			if s.entrypoint, err = onlyCommand(rest); err != nil {
				return stage{}, err
			}
		case "", "ARG", "WORKDIR", "RUN": // of the stage that builds
		default:
			if !strings.HasPrefix(instruction, "#") {
				return stage{}, fmt.Errorf("understand the instruction %s: an image made here would lack it", instruction)
			}
		}
	}
	return s, s.check(copied)
}

// onlyCommand reads a list of one command.
func onlyCommand(list string) (string, error) {
	var command []string
	if err := json.Unmarshal([]byte(list), &command); err != nil || len(command) != 1 {
		return "", fmt.Errorf("understand ENTRYPOINT %s: want a list of one command", list)
	}
	return command[0], nil
}

// check refuses a stage that lacks something, or whose entry point is not what it copies.
func (s stage) check(copied string) error {
	switch {
	case s.user == "" || s.entrypoint == "":
		return errors.New("find USER and ENTRYPOINT in the last stage")
	case copied != s.entrypoint:
		return fmt.Errorf("find the entry point %s among what the last stage copies: it copies %q", s.entrypoint, copied)
	}
	return nil
}
