// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange/exchangetest"
)

// standin serves the OAuth 2.0 system of exchangetest on :8443, and on :8080 what tests want to know about it: GET /ca, GET /stats.
func standin(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("standin", flag.ExitOnError)
	lifetime := flags.Duration("lifetime", time.Hour, "lifetime of tokens")
	hosts := flags.String("hosts", "", "names and addresses for its certificate, separated by commas")
	clients := flags.String("clients", "", "client IDs, separated by colons; all of them have the secret $CLIENT_SECRET")
	one := flags.String("one-active", "", "ID of the client whose new token revokes the previous one")
	if err := flags.Parse(args); err != nil {
		return err
	}
	server, err := exchangetest.Start(exchangetest.Options{
		Addresses: map[exchangetest.System]string{exchangetest.OAuth2: ":8443"},
		Hosts:     strings.Split(*hosts, ","),
		Behaviour: exchangetest.Behaviour{Lifetime: *lifetime},
	})
	if err != nil {
		return err
	}
	for id := range strings.SplitSeq(*clients, ":") {
		client := exchangetest.Client{System: exchangetest.OAuth2, ID: id, Secret: os.Getenv("CLIENT_SECRET"), OneActive: id == *one}
		if err := server.Register(client); err != nil {
			return errors.Join(err, server.Close())
		}
	}
	control := &http.Server{Addr: ":8080", Handler: controls(server), ReadHeaderTimeout: 10 * time.Second}
	go func() {
		<-ctx.Done()
		_ = control.Close()
	}()
	if err := control.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return errors.Join(fmt.Errorf("serve the controls: %w", err), server.Close())
	}
	return server.Close()
}

// stats is the response of GET /stats.
type stats struct {
	Issued map[string]int `json:"issued"` // tokens, by client
	API    map[int]int    `json:"api"`    // answers of the API, by status
	Tokens map[int]int    `json:"tokens"` // answers of the token endpoint, by status
}

func controls(server *exchangetest.Server) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ca", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(server.CABundle()) // the caller may be gone
	})
	mux.HandleFunc("GET /stats", func(w http.ResponseWriter, _ *http.Request) {
		counted, s := server.Stats(), stats{Issued: map[string]int{}, API: map[int]int{}, Tokens: map[int]int{}}
		for client, n := range counted.Issued {
			s.Issued[client.ID] += n
		}
		for answer, n := range counted.Answers {
			switch answer.Path {
			case exchangetest.APIPath:
				s.API[answer.Status] += n
			case exchangetest.OAuth2TokenPath:
				s.Tokens[answer.Status] += n
			}
		}
		_ = json.NewEncoder(w).Encode(s)
	})
	return mux
}
