// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// process is a manager at work: the real binary in a process of its own.
type process struct {
	cmd     *exec.Cmd
	log     string // file with all that it writes
	probe   string // http://host:port
	metrics string // https://host:port
	pprof   string // http://host:port
	ended   chan struct{}
	result  error // how, once ended
}

// startManager starts a manager and returns when it is ready. Its log has everything that there is to log. An argument that is no flag goes into
// the environment.
func (c *cluster) startManager(ctx context.Context, id identity, name string, args ...string) (*process, error) {
	var addresses [3]string
	for i := range addresses {
		address, err := freeAddress()
		if err != nil {
			return nil, err
		}
		addresses[i] = address
	}
	log, err := os.CreateTemp(c.temp, name+"-*.log")
	if err != nil {
		return nil, err
	}
	defer log.Close() // the process has its own
	p := &process{
		log: log.Name(), ended: make(chan struct{}),
		probe: "http://" + addresses[0], metrics: "https://" + addresses[1], pprof: "http://" + addresses[2],
	}
	p.cmd = exec.Command(c.binary,
		"--kubeconfig="+id.kubeconfig,
		"--leader-election-namespace="+id.namespace,
		"--health-probe-bind-address="+addresses[0],
		"--metrics-bind-address="+addresses[1],
		"--pprof-bind-address="+addresses[2],
		"--zap-log-level=10",
	)
	p.cmd.Env = append(os.Environ(), "HTTPS_PROXY=", "https_proxy=")
	for _, arg := range args {
		if strings.HasPrefix(arg, "--") {
			p.cmd.Args = append(p.cmd.Args, arg)
		} else {
			p.cmd.Env = append(p.cmd.Env, arg)
		}
	}
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for the test, which then ends it in good order
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the manager: %w", err)
	}
	c.remember(func(t *trace) { t.logs = append(t.logs, p.log) })
	go func() {
		p.result = p.cmd.Wait()
		close(p.ended)
	}()
	if err := p.ready(ctx); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	return p, nil
}

func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return listener.Addr().String(), listener.Close()
}

// ready waits until the process says that it is.
func (p *process) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return fmt.Errorf("the manager did not become ready; the end of its log:\n%s", p.lastWords())
		case <-p.ended:
			return fmt.Errorf("the manager has ended (%w); the end of its log:\n%s", p.result, p.lastWords())
		case <-ticker.C:
		}
		response, err := http.Get(p.probe + "/readyz")
		if err != nil {
			continue // not listening yet
		}
		response.Body.Close()
		if response.StatusCode == http.StatusOK && listens(p.metrics) && listens(p.pprof) {
			return nil
		}
	}
}

func listens(url string) bool {
	conn, err := net.Dial("tcp", url[strings.LastIndex(url, "/")+1:])
	if err != nil {
		return false
	}
	return conn.Close() == nil
}

func (p *process) lastWords() string {
	content, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")
	return strings.Join(lines[max(0, len(lines)-10):], "\n")
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
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop the manager: %w", err)
	}
	select {
	case <-p.ended:
		return p.result
	case <-time.After(40 * time.Second):
	}
	_ = p.cmd.Process.Kill()
	<-p.ended
	return errors.New("the manager did not end within 40 s and was killed")
}
