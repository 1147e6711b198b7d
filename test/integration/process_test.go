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

// process is a manager at work.
type process struct {
	*framework.Manager
	log     string // file with all that it writes
	metrics string // https://host:port
	pprof   string // http://host:port
}

// startManager starts a manager and returns when it is ready. Its log has everything that there is to log.
func (c *cluster) startManager(ctx context.Context, id identity, name string, flags ...string) (*process, error) {
	log, err := os.CreateTemp(c.Temp, name+"-*.log")
	if err != nil {
		return nil, err
	}
	defer log.Close() // the process has its own
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

// listens returns when a server takes connections: readiness does not say so.
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

// lines are those of the log that have all the words.
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

// stop ends the process in good order and says how it ended.
func (p *process) stop() error {
	if err := p.Stop(); err != nil {
		return err
	}
	return p.Result()
}
