// SPDX-License-Identifier: Apache-2.0

package framework

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A Manager is one process of the operator.
type Manager struct {
	// Probe is the base URL of its probes, http://host:port; Metrics is the URL of its metrics unless a flag changes it.
	Probe, Metrics string

	cmd    *exec.Cmd
	log    string
	ended  chan struct{} // closed when the process has ended
	result error         // its exit error, set once ended is closed
}

// StartManager starts the process and returns once it is ready. The process survives ctx, so that it can be stopped gracefully.
func StartManager(ctx context.Context, binary, kubeconfig, logFile string, flags ...string) (*Manager, error) {
	m, err := LaunchManager(ctx, binary, kubeconfig, logFile, flags...)
	if err != nil {
		return nil, err
	}
	if err := m.Ready(ctx); err != nil {
		return nil, errors.Join(m.Explain(err), m.Stop())
	}
	return m, nil
}

// LaunchManager starts the process without waiting for it. Its log is appended to a file. A flag without dashes is an environment variable.
func LaunchManager(ctx context.Context, binary, kubeconfig, logFile string, flags ...string) (*Manager, error) {
	free, err := FreeAddresses(ctx, 2)
	if err != nil {
		return nil, err
	}
	probe, metrics := free[0], free[1]
	log, err := os.OpenFile(logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600) //nolint:gosec // in the caller's own temporary folder
	if err != nil {
		return nil, fmt.Errorf("create the manager's log: %w", err)
	}
	defer func() { _ = log.Close() }() // the process has a copy
	m := &Manager{Probe: "http://" + probe, Metrics: "http://" + metrics + "/metrics", log: logFile, ended: make(chan struct{})}
	m.cmd = Command(context.WithoutCancel(ctx), ".", binary,
		"--kubeconfig", kubeconfig, "--health-probe-bind-address="+probe, "--metrics-bind-address="+metrics, "--metrics-secure=false")
	m.cmd.Env = append([]string{"GOGC=30", "GOMEMLIMIT=230MiB"}, os.Environ()...) // as in config/manager, unless the caller's environment says otherwise
	for _, flag := range flags {
		if strings.HasPrefix(flag, "--") {
			m.cmd.Args = append(m.cmd.Args, flag)
		} else {
			m.cmd.Env = append(m.cmd.Env, flag)
		}
	}
	m.cmd.Stdout, m.cmd.Stderr = log, log
	if err := m.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the manager: %w", err)
	}
	go func() {
		m.result = m.cmd.Wait()
		close(m.ended)
	}()
	return m, nil
}

// handedOut are the addresses that this process has given to managers. Between finding a free one and listening on it, another manager could be given
// the same, and would be mistaken for this one.
var handedOut sync.Map

// FreeAddresses returns loopback addresses that nobody uses and that were not handed out before. Their ports are below those of Linux's outgoing
// connections (32768 to 60999), which could take one before the process listens on it.
func FreeAddresses(ctx context.Context, n int) ([]string, error) {
	const lowest, highest, tries = 15000, 32000, 1000
	var config net.ListenConfig
	var addresses []string
	for range tries {
		if len(addresses) == n {
			return addresses, nil
		}
		address := fmt.Sprintf("127.0.0.1:%d", lowest+rand.IntN(highest-lowest))
		listener, err := config.Listen(ctx, "tcp", address)
		if err != nil {
			continue // in use
		}
		_ = listener.Close()
		if _, taken := handedOut.LoadOrStore(address, true); !taken {
			addresses = append(addresses, address)
		}
	}
	return nil, fmt.Errorf("could not find %d free ports on 127.0.0.1 between %d and %d", n, lowest, highest)
}

// Ready returns once the process is ready, or an error after a minute.
func (m *Manager) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, time.Minute, errors.New("the manager did not become ready within a minute"))
	defer cancel()
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-m.ended:
			return m.death()
		case <-ticker.C:
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, m.Probe+"/readyz", nil)
		if err != nil {
			return fmt.Errorf("request the manager's readiness: %w", err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			continue // not listening yet
		}
		_ = response.Body.Close()
		if response.StatusCode == http.StatusOK {
			return m.alive()
		}
	}
}

// alive returns an error if the process has ended: then another process answered the probe.
func (m *Manager) alive() error {
	select {
	case <-m.ended:
		return m.death()
	default:
		return nil
	}
}

// Watch returns a context that ends when the manager does.
func (m *Manager) Watch(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-m.ended:
			cancel(m.death())
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}

func (m *Manager) death() error {
	return fmt.Errorf("the manager ended by itself: %w", exitOf(m.result))
}

func exitOf(err error) error {
	if err == nil {
		return errors.New("exit status 0")
	}
	return err
}

// Explain adds the end of the manager's log to an error.
func (m *Manager) Explain(err error) error {
	log, readErr := os.ReadFile(m.log)
	if readErr != nil {
		return errors.Join(err, readErr)
	}
	lines := strings.Split(strings.TrimSpace(string(log)), "\n")
	lines = lines[max(0, len(lines)-10):]
	for i, line := range lines {
		lines[i] = line[:min(len(line), 400)] // the rest is a stack trace
	}
	return fmt.Errorf("%w\nthe end of the manager's log:\n  %s", err, strings.Join(lines, "\n  "))
}

// PID returns the process ID.
func (m *Manager) PID() int { return m.cmd.Process.Pid }

// Ended is closed when the process has ended.
func (m *Manager) Ended() <-chan struct{} { return m.ended }

// Result returns the error of an ended process, nil for exit status 0.
func (m *Manager) Result() error { return m.result }

// Kill ends the process at once with SIGKILL, and waits for it.
func (m *Manager) Kill() error {
	if err := m.signal(syscall.SIGKILL); err != nil {
		return fmt.Errorf("kill the manager: %w", err)
	}
	<-m.ended
	return nil
}

// Terminate asks the process to end, as a kubelet does. It does not wait.
func (m *Manager) Terminate() error {
	if err := m.signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop the manager: %w", err)
	}
	return nil
}

// Stop ends the process gracefully and waits for it.
func (m *Manager) Stop() error {
	if err := m.Terminate(); err != nil {
		return err
	}
	select {
	case <-m.ended:
		return nil
	case <-time.After(40 * time.Second):
	}
	return errors.Join(m.Kill(), errors.New("the manager did not end within 40 s and was killed"))
}

// signal does nothing to a process that has ended, because its ID may have been reused.
func (m *Manager) signal(s syscall.Signal) error {
	select {
	case <-m.ended:
		return nil
	default:
	}
	if err := signalGroup(m.cmd, s); err != nil && !errors.Is(err, syscall.ESRCH) {
		return err
	}
	return nil
}
