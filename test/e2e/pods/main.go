// SPDX-License-Identifier: Apache-2.0

// Command pods is the program in the pods of the end-to-end test: `pods standin` is a token endpoint and an API, `pods consume` calls that API with
// the token that the operator keeps fresh, `pods read` reports when a file has another token.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "pods:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	role := ""
	if len(args) > 0 {
		role, args = args[0], args[1:]
	}
	switch role {
	case "standin":
		return standin(ctx, args)
	case "consume":
		return consume(ctx, args)
	case "read":
		return read(ctx, args)
	}
	return fmt.Errorf("the role must be standin, consume or read, not %q", role)
}
