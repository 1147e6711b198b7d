package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// manager is the operator's process.
type manager struct {
	cmd    *exec.Cmd
	log    string
	ended  chan struct{} // closed when the process has gone
	result error         // how, once ended
}

// startManager starts the process and returns when it says that it is ready. It survives ctx, so that it can be stopped in good order.
func startManager(ctx context.Context, binary, kubeconfig, logFile string) (*manager, error) {
	probe, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	log, err := os.Create(logFile) //nolint:gosec // in the demo's own temporary folder
	if err != nil {
		return nil, fmt.Errorf("make the manager's log: %w", err)
	}
	defer func() { _ = log.Close() }() // the process has its own
	m := &manager{log: logFile, ended: make(chan struct{})}
	m.cmd = command(context.WithoutCancel(ctx), ".", binary,
		"--kubeconfig", kubeconfig,
		"--leader-elect=false",
		"--metrics-bind-address=0",
		"--health-probe-bind-address="+probe,
		"--allowed-cidrs=127.0.0.0/8,::1/128")
	m.cmd.Stdout, m.cmd.Stderr = log, log
	if err := m.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the manager: %w", err)
	}
	go func() {
		m.result = m.cmd.Wait()
		close(m.ended)
	}()
	if err := m.ready(ctx, "http://"+probe+"/readyz"); err != nil {
		return nil, errors.Join(m.explain(err), m.stop())
	}
	return m, nil
}

// freeAddress is a loopback port that nobody uses at the moment.
func freeAddress(ctx context.Context) (string, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return listener.Addr().String(), listener.Close()
}

func (m *manager) ready(ctx context.Context, url string) error {
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
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return fmt.Errorf("ask whether the manager is ready: %w", err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			continue // not listening yet
		}
		_ = response.Body.Close()
		if response.StatusCode == http.StatusOK {
			return nil
		}
	}
}

// watch returns a context that ends when the manager does.
func (m *manager) watch(ctx context.Context) (context.Context, context.CancelFunc) {
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

func (m *manager) death() error {
	return fmt.Errorf("the manager has ended by itself: %w", exitOf(m.result))
}

func exitOf(err error) error {
	if err == nil {
		return errors.New("exit status 0")
	}
	return err
}

// explain adds the end of the manager's log to an error.
func (m *manager) explain(err error) error {
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

// stop ends the process and waits for it.
func (m *manager) stop() error {
	if err := signalGroup(m.cmd, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("stop the manager: %w", err)
	}
	select {
	case <-m.ended:
		return nil
	case <-time.After(20 * time.Second):
	}
	if err := signalGroup(m.cmd, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("kill the manager: %w", err)
	}
	<-m.ended
	return errors.New("the manager did not end within 20 s and was killed")
}
