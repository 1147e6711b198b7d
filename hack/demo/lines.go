// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// printChanges prints a line per change, and the table once every credential is done. If that takes longer than patience, the error has the reasons.
func printChanges(ctx context.Context, w *watcher) error {
	patient, cancel := context.WithTimeoutCause(ctx, patience, errOutOfPatience)
	defer cancel()
	return printUntil(ctx, patient, w, func(states []state) bool {
		return !slices.ContainsFunc(states, func(s state) bool { return s.sample && !s.done() })
	})
}

// printOn prints a line per change until ctx ends.
func printOn(ctx context.Context, w *watcher) error {
	return printUntil(ctx, ctx, w, func([]state) bool { return false })
}

func printUntil(ctx, patient context.Context, w *watcher, enough func([]state) bool) error {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	shown := map[string]string{}
	for {
		now := time.Now()
		states, err := w.states(ctx, now)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			return err
		}
		for _, s := range states {
			if summary := s.summary(); summary != shown[s.name] {
				shown[s.name] = summary
				w.say("%s %-21s %s%s", now.Format(time.TimeOnly), s.name, s.progress(), s.times(now))
				w.sayFailure(s)
			}
		}
		if enough(states) {
			w.say("\n%s\nEvery credential has been refreshed.", table(states, now, 0, false))
			return nil
		}
		select {
		case <-patient.Done():
			w.say("\n%s", table(states, now, 0, false))
			return conclude(context.Cause(patient), states)
		case <-ticker.C:
		}
	}
}

var errOutOfPatience = errors.New("not every credential was refreshed within 3 minutes")

// conclude adds what was missing when patience ran out.
func conclude(cause error, states []state) error {
	if !errors.Is(cause, errOutOfPatience) {
		return cause
	}
	var reasons []string
	for _, s := range states {
		if s.sample && !s.done() {
			reasons = append(reasons, s.missing())
		}
	}
	return fmt.Errorf("%w:\n  %s", cause, strings.Join(reasons, "\n  "))
}

// summary is the part of a state whose change prints a new line.
func (s state) summary() string { return s.progress() + s.failure }

// progress describes how far a credential has come.
func (s state) progress() string {
	words := "not ready"
	if s.ready {
		words = "ready"
	}
	switch {
	case s.refreshes == 1:
		words += ", 1 refresh"
	case s.refreshes > 1:
		words += fmt.Sprintf(", %d refreshes", s.refreshes)
	}
	return words
}

// times describes when the token expires and is renewed; empty if neither is known.
func (s state) times(now time.Time) string {
	var text string
	if !s.expires.IsZero() {
		text = ", expires in " + until(s.expires, now)
	}
	if !s.next.IsZero() {
		text += ", next in " + until(s.next, now)
	}
	return text
}

// sayFailure prints why a credential is unhealthy, wrapped to 80 columns.
func (c console) sayFailure(s state) {
	if s.failure == "" {
		return
	}
	const indent = "         "
	for _, line := range wrap(s.failure, 80-len(indent), "") {
		c.say("%s%s", indent, line)
	}
}

// missing returns why a credential is not done.
func (s state) missing() string {
	switch {
	case s.failure != "":
		return s.name + ": " + s.failure
	case !s.ready:
		return s.name + ": not ready"
	case !s.good:
		return s.name + ": ready, but its target does not hold what the endpoint has issued, or it has expired"
	}
	return s.name + ": ready, but never refreshed"
}
