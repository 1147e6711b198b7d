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

// lastStage understands what our Dockerfile needs and refuses everything else, so that no image is made from half of it.
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
		case "", "ARG", "WORKDIR", "RUN": // of the build stage
		default:
			if !strings.HasPrefix(instruction, "#") {
				return stage{}, fmt.Errorf("unsupported instruction %s: the image would lack it", instruction)
			}
		}
	}
	return s, s.check(copied)
}

// onlyCommand parses a list of one command.
func onlyCommand(list string) (string, error) {
	var command []string
	if err := json.Unmarshal([]byte(list), &command); err != nil || len(command) != 1 {
		return "", fmt.Errorf("unsupported ENTRYPOINT %s: want a list of one command", list)
	}
	return command[0], nil
}

// check refuses an incomplete stage, and one whose entry point is not the file that it copies.
func (s stage) check(copied string) error {
	switch {
	case s.user == "" || s.entrypoint == "":
		return errors.New("the last stage has no USER or no ENTRYPOINT")
	case copied != s.entrypoint:
		return fmt.Errorf("the entry point %s is not what the last stage copies: %q", s.entrypoint, copied)
	}
	return nil
}
