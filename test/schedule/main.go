// SPDX-License-Identifier: Apache-2.0

// Command schedule simulates days of many credentials in seconds: the renewal times are those of internal/token, the gate is that of internal/egress;
// only the clock, the endpoint and the controller are simulated. It prints a table, or with -svg plots the exchanges of every minute. Equal runs give
// equal bytes.
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "schedule:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	flags := flag.NewFlagSet("schedule", flag.ContinueOnError)
	svg := flags.String("svg", "", "File for the plot; empty draws none and prints the table.")
	objects := flags.Int("objects", 100_000, "Number of credentials.")
	lifetimes := flags.String("lifetimes", "24h,1h", "Lifetimes of tokens, one scenario for each.")
	qps := flags.String("qps", "20,60", "Exchanges per second that the gate allows, for each lifetime.")
	span := flags.Duration("span", 48*time.Hour, "Simulated time.")
	if err := flags.Parse(args); err != nil {
		return err
	}
	scenarios, err := parse(*objects, *lifetimes, *qps, *span)
	if err != nil {
		return err
	}
	var outcomes []outcome
	for _, s := range scenarios {
		outcomes = append(outcomes, s.live())
	}
	if *svg == "" {
		fmt.Print(table(outcomes))
		return nil
	}
	if err := os.WriteFile(*svg, []byte(plot(outcomes)), 0o644); err != nil { //nolint:gosec // a picture that everyone may read
		return fmt.Errorf("write the plot: %w", err)
	}
	return nil
}

func parse(objects int, lifetimes, qps string, span time.Duration) ([]scenario, error) {
	rates := strings.Split(qps, ",")
	var list []scenario
	for i, text := range strings.Split(lifetimes, ",") {
		lifetime, err := time.ParseDuration(text)
		if err != nil {
			return nil, fmt.Errorf("-lifetimes: %w", err)
		}
		s := scenario{objects: objects, lifetime: lifetime, span: span}
		if _, err := fmt.Sscan(rates[min(i, len(rates)-1)], &s.qps); err != nil {
			return nil, fmt.Errorf("-qps: %w", err)
		}
		list = append(list, s)
	}
	return list, nil
}

func table(outcomes []outcome) string {
	var out strings.Builder
	fmt.Fprintf(&out, "%9s %9s %6s %11s %10s %9s %9s %9s %9s %9s %8s %8s\n", "objects", "lifetime", "qps", "first sync", "exchanges",
		"late p50", "late p99", "late max", "mean/s", "busiest/s", "minute", "expired")
	for i := range outcomes {
		o := &outcomes[i]
		fmt.Fprintf(&out, "%9d %9s %6.4g %11s %10d %8.2fs %8.2fs %8.2fs %9.1f %9d %8d %8d\n", o.objects, short(o.lifetime), o.qps, short(o.firstSync.Round(time.Second)),
			o.exchanges, o.late(0.5), o.late(0.99), o.late(1), o.mean(), o.busiest, o.busiestMinute(), o.expired)
	}
	return out.String()
}

// short removes zeros at the end of a duration.
func short(d time.Duration) string {
	text := d.String()
	text = strings.TrimSuffix(text, "0s")
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
