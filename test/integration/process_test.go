// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/test/framework"
)

// process is a running manager.
type process struct {
	*framework.Manager
	log     string // file with all that it writes
	metrics string // https://host:port
	pprof   string // http://host:port
}

// startManager starts a manager and returns once it is ready. It logs at the highest level.
func (c *cluster) startManager(ctx context.Context, id identity, name string, flags ...string) (*process, error) {
	log, err := os.CreateTemp(c.Temp, name+"-*.log")
	if err != nil {
		return nil, err
	}
	defer log.Close() // the process has a copy
	c.remember(func(t *trace) { t.logs = append(t.logs, log.Name()) })
	pprof, err := framework.FreeAddresses(ctx, 1)
	if err != nil {
		return nil, err
	}
	always := []string{
		"--leader-election-namespace=" + id.namespace, "--metrics-secure=true", "--pprof-bind-address=" + pprof[0], "--zap-log-level=10",
		"HTTPS_PROXY=", "https_proxy=",
	}
	m, err := framework.StartManager(ctx, c.binary, id.kubeconfig, log.Name(), append(always, flags...)...)
	if err != nil {
		return nil, err
	}
	p := &process{Manager: m, log: log.Name(), pprof: "http://" + pprof[0]}
	p.metrics = "https" + strings.TrimSuffix(strings.TrimPrefix(m.Metrics, "http"), "/metrics")
	for _, url := range []string{p.metrics, p.pprof} {
		if err := listens(ctx, url); err != nil {
			return nil, errors.Join(m.Explain(err), p.stop())
		}
	}
	return p, nil
}

// listens returns once a server accepts connections, which readiness does not imply.
func listens(ctx context.Context, url string) error {
	_, address, _ := strings.Cut(url, "://")
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("%s does not listen: %w", url, err)
		}
	}
}

// lines returns the lines of the log that contain all the words.
func (p *process) lines(words ...string) ([]string, error) {
	content, err := os.ReadFile(filepath.Clean(p.log))
	if err != nil {
		return nil, err
	}
	var found []string
next:
	for line := range strings.Lines(string(content)) {
		for _, word := range words {
			if !strings.Contains(line, word) {
				continue next
			}
		}
		found = append(found, line)
	}
	return found, nil
}

// stop stops the process gracefully and returns its exit error.
func (p *process) stop() error {
	if err := p.Stop(); err != nil {
		return err
	}
	return p.Result()
}
