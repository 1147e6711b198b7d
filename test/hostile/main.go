// SPDX-License-Identifier: Apache-2.0

// Command hostile attacks the real manager with the most expensive answers, private keys, objects and Secrets that tenants and endpoints can make,
// sixteen of a kind at once, again and again. It prints the manager's peak resident memory and how late honest renewals were, and fails if a limit is
// exceeded. kube-apiserver and etcd are real, too; everything listens on loopback and is removed afterwards, also after Ctrl-C.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/cdpcredentials/cdp-credential-operator/test/framework"
)

const (
	mostMemory = 160 << 20
	// mostLate limits the lateness of renewals, whose keys are already open; mostWaiting limits the wait of new honest objects for their first token.
	mostLate    = time.Second
	mostWaiting = 3 * time.Second

	many     = 16 // bombs of a kind
	pause    = 5 * time.Second
	patience = 90 * time.Second
)

func main() {
	log.SetLogger(logr.Discard()) // controller-runtime complains if no logger is set
	if err := framework.UnderGoRun(func(ctx context.Context) error { return play(ctx, os.Args[1:]) }); err != nil {
		fmt.Fprintln(os.Stderr, "hostile:", err)
		os.Exit(1)
	}
}

type bench struct {
	cluster *framework.Cluster
	manager *framework.Manager
	servers *servers
	honest  *honest
	lasts   time.Duration
	broken  []error
}

func play(ctx context.Context, args []string) (err error) {
	flags := flag.NewFlagSet("hostile", flag.ContinueOnError)
	lasts := flags.Duration("lasts", 30*time.Second, "Duration of each kind of attack.")
	binary := flags.String("manager", "", "Path of the manager; empty builds it.")
	if err := flags.Parse(args); err != nil {
		return err
	}
	later := func(tidy func() error) { err = errors.Join(err, tidy()) }
	temp, err := os.MkdirTemp("", "cdp-hostile-")
	if err != nil {
		return fmt.Errorf("create a temporary folder: %w", err)
	}
	defer later(func() error { return os.RemoveAll(temp) })
	root, err := framework.ModuleRoot(ctx)
	if err != nil {
		return err
	}
	assets, err := framework.Assets(ctx, root)
	if err != nil {
		return err
	}
	if *binary == "" {
		if *binary, err = framework.BuildManager(ctx, root, temp); err != nil {
			return err
		}
	}
	b := &bench{lasts: *lasts, servers: startServers()}
	defer b.servers.close()
	var stop func() error
	b.cluster, stop, err = framework.Start(ctx, framework.Cluster{Root: root, Temp: temp, Assets: assets, StopTimeout: time.Second}, "default")
	defer later(stop)
	if err != nil {
		return err
	}
	if err := b.launch(ctx, temp, *binary); err != nil {
		return err
	}
	defer later(func() error { return b.manager.Stop() })
	watched, done := b.manager.Watch(ctx)
	defer done()
	if err := b.run(watched); err != nil {
		return b.manager.Explain(err)
	}
	return errors.Join(b.broken...)
}

func (b *bench) launch(ctx context.Context, temp, binary string) error {
	kubeconfig, err := b.cluster.ManagerKubeconfig(ctx)
	if err != nil {
		return err
	}
	authorities := filepath.Join(temp, "ca.crt")
	if err := os.WriteFile(authorities, b.servers.authority, 0o600); err != nil {
		return fmt.Errorf("write the CA file: %w", err)
	}
	b.manager, err = framework.StartManager(ctx, binary, kubeconfig, filepath.Join(temp, "manager.log"),
		"--allowed-cidrs=127.0.0.0/8", "--ca-file="+authorities, "--allowed-target-metadata=*", "--zap-log-level=error")
	return err
}

func (b *bench) run(ctx context.Context) error {
	var err error
	if b.honest, err = b.newHonest(ctx); err != nil {
		return err
	}
	say("%-28s %10s %14s %14s", "attack", "peak MiB", "late s", "first token s")
	if err := b.phase(ctx, kind{name: "none"}); err != nil {
		return err
	}
	for _, k := range b.kinds() {
		if err := b.phase(ctx, k); err != nil {
			return fmt.Errorf("%s: %w", k.name, err)
		}
	}
	return nil
}

// phase measures one kind of bomb.
func (b *bench) phase(ctx context.Context, k kind) error {
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", b.manager.PID()), []byte("5"), 0); err != nil { // resets the peak
		return fmt.Errorf("reset the peak of the manager's memory: %w", err)
	}
	b.honest.begin()
	if err := b.throw(ctx, k); err != nil {
		return err
	}
	late, waited, err := b.honest.end(ctx)
	if err != nil {
		return err
	}
	peak, err := peakOf(b.manager.PID())
	if err != nil {
		return err
	}
	say("%-28s %10.1f %14.2f %14.2f", k.name, float64(peak)/(1<<20), late.Seconds(), waited.Seconds())
	if peak > mostMemory {
		b.broken = append(b.broken, fmt.Errorf("%s: %d MiB, want at most %d", k.name, peak>>20, mostMemory>>20))
	}
	if late > mostLate || waited > mostWaiting {
		b.broken = append(b.broken, fmt.Errorf("%s: renewals %v late, first tokens after %v; want at most %v and %v", k.name, late, waited, mostLate, mostWaiting))
	}
	return b.clear(ctx)
}

// throw throws bombs for a while, creates honest newcomers meanwhile, and checks that the bombs had their effect.
func (b *bench) throw(ctx context.Context, k kind) error {
	began := time.Now()
	for round := 0; time.Since(began) < b.lasts; round++ {
		if k.throw != nil {
			if err := k.throw(ctx, round); err != nil {
				return err
			}
		}
		if round == 0 {
			if err := b.honest.join(ctx, k.name); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause):
		}
	}
	if k.effect == nil {
		return nil
	}
	return k.effect(ctx)
}

// peakOf returns the peak resident memory of a process in bytes.
func peakOf(pid int) (int, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, fmt.Errorf("read the manager's memory: %w", err)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	value, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	kilobytes, err := strconv.Atoi(value)
	return kilobytes << 10, err
}

func say(format string, args ...any) { _, _ = fmt.Fprintf(os.Stdout, format+"\n", args...) }
