// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange/exchangetest"
	"github.com/cdpcredentials/cdp-credential-operator/test/framework"
)

// roleEndpoint is the first argument of the process that runs the token endpoint, so that its CPU time is not counted as the manager's.
const roleEndpoint = "endpoint"

// latency is how long the endpoint takes to answer.
const latency = 50 * time.Millisecond

// An introduction is the first output of the endpoint's process.
type introduction struct {
	Control, TokenURL, Host string
	CABundle                []byte
}

// An issuance is a token that a client got.
type issuance struct {
	Client          string
	Issued, Expires time.Time
}

// secretOf returns the secret of a client. Both generations are accepted, as by a vendor during a rotation.
func secretOf(client string, generation int) string {
	return fmt.Sprintf("the-secret-%d-of-%s", generation, client)
}

// serveEndpoint runs the endpoint until standard input is closed, which happens at the latest when the bench ends.
func serveEndpoint(ctx context.Context) (err error) {
	server, err := exchangetest.Start(exchangetest.Options{
		ReuseSignature: true, History: 7200, Behaviour: exchangetest.Behaviour{Latency: latency, Lifetime: time.Hour},
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen for the bench: %w", err)
	}
	control := &http.Server{Handler: controlOf(server), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = control.Serve(listener) }() // it always ends with ErrServerClosed
	defer func() { err = errors.Join(err, control.Close()) }()
	if err := json.NewEncoder(os.Stdout).Encode(introduction{
		Control: "http://" + listener.Addr().String(), TokenURL: server.TokenURL(exchangetest.OAuth2), Host: server.Host(exchangetest.OAuth2), CABundle: server.CABundle(),
	}); err != nil {
		return fmt.Errorf("introduce the endpoint: %w", err)
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// controlOf returns the handler through which the bench controls the endpoint.
func controlOf(server *exchangetest.Server) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /clients", func(w http.ResponseWriter, r *http.Request) {
		n, err := strconv.Atoi(r.FormValue("count"))
		for i := 0; i < n && err == nil; i++ {
			id := clientID(r.FormValue("fleet"), i)
			err = server.Register(exchangetest.Client{System: exchangetest.OAuth2, ID: id, Secret: secretOf(id, 1), PreviousSecret: secretOf(id, 2), Auth: exchangetest.AuthPost})
		}
		finish(w, err)
	})
	mux.HandleFunc("POST /lifetime", func(w http.ResponseWriter, r *http.Request) {
		lifetime, err := time.ParseDuration(r.FormValue("lifetime"))
		if err == nil {
			behaviour := server.Behaviour()
			behaviour.Lifetime = lifetime
			server.SetBehaviour(behaviour)
		}
		finish(w, err)
	})
	mux.HandleFunc("GET /count", func(w http.ResponseWriter, _ *http.Request) {
		finish(w, json.NewEncoder(w).Encode(server.Stats().TotalIssued()))
	})
	mux.HandleFunc("GET /issued", func(w http.ResponseWriter, r *http.Request) {
		list := []issuance{}
		for _, t := range server.Tokens() {
			if strings.HasPrefix(t.ClientID, r.FormValue("fleet")+"-") {
				list = append(list, issuance{t.ClientID, t.Issued, t.Expires})
			}
		}
		finish(w, json.NewEncoder(w).Encode(list))
	})
	return mux
}

func finish(w http.ResponseWriter, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

func clientID(fleet string, i int) string { return fmt.Sprintf("%s-%05d", fleet, i) }

// An endpoint is the endpoint's process as seen by the bench.
type endpoint struct {
	introduction
	cmd   *exec.Cmd
	stdin io.Closer
}

func startEndpoint(ctx context.Context, temp string) (*endpoint, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	e := &endpoint{cmd: framework.Command(context.WithoutCancel(ctx), temp, program, roleEndpoint)}
	if e.stdin, err = e.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("prepare the endpoint: %w", err)
	}
	stdout, err := e.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("prepare the endpoint: %w", err)
	}
	if err := e.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the endpoint: %w", err)
	}
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &e.introduction)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read the endpoint's introduction: %w", err), e.stop())
	}
	return e, nil
}

func (e *endpoint) stop() error {
	if err := e.stdin.Close(); err != nil {
		return fmt.Errorf("stop the endpoint: %w", err)
	}
	if err := e.cmd.Wait(); err != nil {
		return fmt.Errorf("stop the endpoint: %w", err)
	}
	return nil
}

// register registers n clients of a fleet.
func (e *endpoint) register(ctx context.Context, fleet string, n int) error {
	return e.ask(ctx, http.MethodPost, "/clients", url.Values{"fleet": {fleet}, "count": {strconv.Itoa(n)}}, nil)
}

// lives sets the lifetime of tokens from now on.
func (e *endpoint) lives(ctx context.Context, lifetime time.Duration) error {
	return e.ask(ctx, http.MethodPost, "/lifetime", url.Values{"lifetime": {lifetime.String()}}, nil)
}

// count returns the number of tokens issued so far.
func (e *endpoint) count(ctx context.Context) (int, error) {
	var n int
	err := e.ask(ctx, http.MethodGet, "/count", nil, &n)
	return n, err
}

// issued returns the tokens of a fleet so far, oldest first.
func (e *endpoint) issued(ctx context.Context, fleet string) ([]issuance, error) {
	var list []issuance
	err := e.ask(ctx, http.MethodGet, "/issued", url.Values{"fleet": {fleet}}, &list)
	return list, err
}

func (e *endpoint) ask(ctx context.Context, method, path string, query url.Values, answer any) error {
	r, err := http.NewRequestWithContext(ctx, method, e.Control+path+"?"+query.Encode(), nil)
	if err != nil {
		return fmt.Errorf("ask the endpoint: %w", err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return fmt.Errorf("ask the endpoint: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("ask the endpoint for %s: %s", path, response.Status)
	}
	if answer == nil {
		return nil
	}
	if err := json.NewDecoder(response.Body).Decode(answer); err != nil {
		return fmt.Errorf("read the endpoint's answer: %w", err)
	}
	return nil
}
