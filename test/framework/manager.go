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
	// Probe is where it reports whether it is ready, Metrics where its metrics are if no flag says otherwise: http://host:port.
	Probe, Metrics string

	cmd    *exec.Cmd
	log    string
	ended  chan struct{} // closed when the process has gone
	result error         // how, once ended
}

// StartManager starts the process and returns when it says that it is ready. It survives ctx, so that it can be stopped in good order.
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

// LaunchManager starts the process and does not wait for it. What it logs is appended to a file. A flag without dashes is a variable of its
// environment.
func LaunchManager(ctx context.Context, binary, kubeconfig, logFile string, flags ...string) (*Manager, error) {
	free, err := FreeAddresses(ctx, 2)
	if err != nil {
		return nil, err
	}
	probe, metrics := free[0], free[1]
	log, err := os.OpenFile(logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600) //nolint:gosec // in the caller's own temporary folder
	if err != nil {
		return nil, fmt.Errorf("make the manager's log: %w", err)
	}
	defer func() { _ = log.Close() }() // the process has its own
	m := &Manager{Probe: "http://" + probe, Metrics: "http://" + metrics + "/metrics", log: logFile, ended: make(chan struct{})}
	m.cmd = Command(context.WithoutCancel(ctx), ".", binary,
		"--kubeconfig", kubeconfig, "--health-probe-bind-address="+probe, "--metrics-bind-address="+metrics, "--metrics-secure=false")
	m.cmd.Env = append([]string{"GOGC=30", "GOMEMLIMIT=230MiB"}, os.Environ()...) // as config/manager has it, unless the caller's environment says otherwise
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

// handedOut are the addresses that this process has given to managers: between being found free and being listened on, another manager could be given
// the same, and would pass for this one.
var handedOut sync.Map

// FreeAddresses are loopback ports that nobody uses at the moment, none of them given out before. They are below those that Linux gives to outgoing
// connections (32768 to 60999): one of those could be taken by a connection before the process listens on it.
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
			continue // somebody uses it
		}
		_ = listener.Close()
		if _, taken := handedOut.LoadOrStore(address, true); !taken {
			addresses = append(addresses, address)
		}
	}
	return nil, fmt.Errorf("found no %d free ports on 127.0.0.1 between %d and %d", n, lowest, highest)
}

// Ready returns when the process says that it is ready, or an error after a minute.
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
			return fmt.Errorf("ask whether the manager is ready: %w", err)
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

// alive returns an error if the process has ended: then somebody else has answered for it.
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
	return fmt.Errorf("the manager has ended by itself: %w", exitOf(m.result))
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
		lines[i] = line[:min(len(line), 400)] // the rest is a stack
	}
	return fmt.Errorf("%w\nthe end of the manager's log:\n  %s", err, strings.Join(lines, "\n  "))
}

// PID is the id of the process.
func (m *Manager) PID() int { return m.cmd.Process.Pid }

// Ended is closed when the process has gone.
func (m *Manager) Ended() <-chan struct{} { return m.ended }

// Result is how a process that has gone ended: nil for exit status 0.
func (m *Manager) Result() error { return m.result }

// Kill ends the process at once, without a chance to tidy up, and waits until it has gone.
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

// Stop ends the process in good order and waits for it.
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

// signal does nothing to a process that has gone: its id may be another one's by now.
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
