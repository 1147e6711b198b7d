// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// A mark is a point from which things are counted.
type mark struct {
	log    int64
	tokens int
	cpu    map[string]float64
	at     time.Time
}

// mark returns the current counters. If the manager does not run yet, its CPU time counts from its start.
func (r *runner) mark(ctx context.Context) (mark, error) {
	m := mark{at: time.Now(), cpu: map[string]float64{}}
	var err error
	if m.log, err = r.audit.end(); err != nil {
		return m, err
	}
	if m.tokens, err = r.endpoint.count(ctx); err != nil {
		return m, err
	}
	for name, pid := range r.processes() {
		if m.cpu[name], err = cpu(pid); err != nil {
			return m, err
		}
	}
	return m, nil
}

func (r *runner) processes() map[string]int {
	all := map[string]int{"etcd": r.pids["etcd"], "kube-apiserver": r.pids["kube-apiserver"], "token endpoint": r.endpoint.cmd.Process.Pid}
	if r.manager != nil {
		all["manager"] = r.manager.PID()
	}
	return all
}

// A tally is what has happened since a mark.
type tally struct {
	requests  requests
	exchanges int
	cpu       map[string]float64
}

// calm is how long the API server must have been without requests for a phase to be over.
const calm = 2 * time.Second

// since waits until there are no more requests, and counts those of the account since the mark.
func (r *runner) since(ctx context.Context, from mark, account string) (tally, error) {
	if err := r.settle(ctx); err != nil {
		return tally{}, err
	}
	return r.soFar(ctx, from, account)
}

// settle waits until the API server has had no requests for a while.
func (r *runner) settle(ctx context.Context) error {
	before, quiet := int64(-1), time.Time{}
	for before < 0 || time.Since(quiet) < calm {
		end, err := r.audit.end()
		if err != nil {
			return err
		}
		if end != before {
			before, quiet = end, time.Now()
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// soFar counts what has happened since a mark.
func (r *runner) soFar(ctx context.Context, from mark, account string) (tally, error) {
	to, err := r.mark(ctx)
	if err != nil {
		return tally{}, err
	}
	t := tally{exchanges: to.tokens - from.tokens, cpu: map[string]float64{}}
	for name, used := range to.cpu {
		t.cpu[name] = used - from.cpu[name]
	}
	t.requests, err = r.audit.since(userOf(account), from.log, to.log)
	return t, err
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// fetch returns the body at a URL of the manager.
func fetch(ctx context.Context, address string) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, errors.Join(fmt.Errorf("get %s: %s", address, response.Status), response.Body.Close())
	}
	return response.Body, nil
}

// passes returns the number of the manager's reconciles, 0 while it does not serve metrics.
func (r *runner) passes(ctx context.Context) (float64, error) {
	body, err := fetch(ctx, r.manager.Metrics)
	if err != nil {
		return 0, ctx.Err()
	}
	defer func() { _ = body.Close() }()
	sum, lines := 0.0, bufio.NewScanner(body)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "controller_runtime_reconcile_total{") {
			_, text, _ := strings.Cut(lines.Text(), "} ")
			value, err := strconv.ParseFloat(text, 64)
			if err != nil {
				return 0, fmt.Errorf("parse the metrics: %w", err)
			}
			sum += value
		}
	}
	return sum, lines.Err()
}

// save writes a profile of the manager to a file.
func (r *runner) save(ctx context.Context, path, file string) error {
	body, err := fetch(ctx, r.pprof+path)
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }()
	out, err := os.Create(filepath.Join(r.keep, file)) //nolint:gosec // a folder that the user chose
	if err != nil {
		return fmt.Errorf("write the profile: %w", err)
	}
	_, err = io.Copy(out, body)
	return errors.Join(err, out.Close())
}
