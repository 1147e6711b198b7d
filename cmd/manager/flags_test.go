// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"

	"go.uber.org/zap/zapcore"
)

// TestNoVerbosityPrintsSecrets: client-go logs the bodies of requests at verbosity 8 of the logger in its context, and a body may be a Secret.
func TestNoVerbosityPrintsSecrets(t *testing.T) {
	for _, args := range [][]string{
		{"--zap-log-level=8"}, {"--zap-log-level=10"}, {"--zap-log-level=127"}, {"--zap-devel", "--zap-log-level=9"},
	} {
		opts, err := parseFlags(args)
		if err != nil {
			t.Fatal(err)
		}
		if opts.log.Level.Enabled(zapcore.Level(-8)) {
			t.Errorf("%v enables verbosity 8", args)
		}
		if !opts.log.Level.Enabled(zapcore.Level(-6)) {
			t.Errorf("%v does not enable verbosity 6", args)
		}
		if opts.log.Development {
			t.Errorf("%v leaves the encoder that prints whole objects enabled", args)
		}
	}
}

func TestVerbosityStaysAsAsked(t *testing.T) {
	opts, err := parseFlags([]string{"--zap-log-level=error"})
	if err != nil {
		t.Fatal(err)
	}
	if opts.log.Level.Enabled(zapcore.InfoLevel) {
		t.Error("the level error lets info through")
	}
}

func TestParseFlagsRefusesBadValues(t *testing.T) {
	for flag, says := range map[string]string{
		"--watch-namespaces=a,B_c":            `"B_c" is no namespace`,
		"--watch-selector=a=b=c":              "--watch-selector",
		"--allowed-token-hosts=*":             "--allowed-token-hosts",
		"--allowed-token-hosts=https://a.b/c": "--allowed-token-hosts",
		"--allowed-cidrs=10.0.0.0/33":         "--allowed-cidrs",
		"--denied-cidrs=10.1.2.3/8":           "--denied-cidrs",
		"--token-hosts-only=*":                "--token-hosts-only",
		"--max-concurrent-reconciles=0":       "must be at least 1",
		"--token-endpoint-qps=0":              "must be above 0",
		"--token-endpoint-qps=NaN":            "must be above 0",
		"--token-endpoint-in-flight=-1":       "must be at least 1",
		"stray":                               `unknown argument "stray"`,
	} {
		_, err := parseFlags([]string{flag})
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want an error with %q", flag, err, says)
		}
	}
}

func TestParseFlagsReadsLists(t *testing.T) {
	opts, err := parseFlags([]string{"--watch-namespaces= a, b ,,", "--allowed-cidrs=127.0.0.0/8,::1/128", "--denied-cidrs=10.1.0.0/16", "--token-hosts-only=a.example.com", "--watch-selector=shard in (a,b)"})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(opts.namespaces, "+"); got != "a+b" {
		t.Errorf("namespaces %q", got)
	}
	if len(opts.addresses.Allowed) != 2 || len(opts.addresses.Denied) != 1 || opts.tokenHostsOnly.Empty() || opts.selector.Empty() {
		t.Errorf("addresses %v, selector %v", opts.addresses, opts.selector)
	}
}

// TestRolloutRestartIsOffByDefault: only an administrator may grant the right to restart workloads.
func TestRolloutRestartIsOffByDefault(t *testing.T) {
	for want, args := range map[bool][]string{false: nil, true: {"--enable-rollout-restart"}} {
		opts, err := parseFlags(args)
		if err != nil {
			t.Fatal(err)
		}
		if opts.rolloutRestart != want {
			t.Errorf("%v: %t", args, opts.rolloutRestart)
		}
	}
}
