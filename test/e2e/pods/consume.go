// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// consumer calls the API again and again, as the README tells users to: with the current token.
type consumer struct {
	url    string
	client *http.Client
	read   func() (string, error) // the token
	log    io.Writer

	last                               string // token
	renewals, calls, unauthorized, bad int
	// locked is since when every answer has been a 401; longest is the longest such period.
	locked  time.Time
	longest time.Duration
}

func consume(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("consume", flag.ExitOnError)
	url := flags.String("url", "", "API to call")
	ca := flags.String("ca", "", "file with the CA certificate of the API")
	every := flags.Duration("every", time.Second, "interval between two calls")
	file := flags.String("token-file", "", "file with the token, read before each call; empty: $TOKEN")
	if err := flags.Parse(args); err != nil {
		return err
	}
	pem, err := os.ReadFile(*ca)
	if err != nil {
		return fmt.Errorf("read the CA certificate: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return errors.New("read the CA certificate: no certificate in the file")
	}
	c := &consumer{
		url: *url,
		client: &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{
			TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
		}},
		read: func() (string, error) { return os.Getenv("TOKEN"), nil },
		log:  os.Stdout,
	}
	if *file != "" {
		c.read = func() (string, error) {
			token, err := os.ReadFile(*file)
			return string(token), err
		}
	}
	ticker := time.NewTicker(*every)
	defer ticker.Stop()
	for {
		c.turn(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// turn makes one call. The last line of the log always has the counts.
func (c *consumer) turn(ctx context.Context) {
	token, err := c.read()
	if err == nil && token != c.last {
		if c.last != "" {
			c.renewals++
		}
		c.last = token
		c.say("a token that expires at %s", expiry(token))
	}
	status := 0
	if err == nil {
		status, err = c.call(ctx, token)
	}
	if ctx.Err() != nil {
		return
	}
	c.calls++
	c.lockedOut(status == http.StatusUnauthorized, time.Now())
	switch {
	case err != nil:
		c.bad++
		c.say("no answer: %v", err)
	case status == http.StatusUnauthorized:
		c.unauthorized++
	case status != http.StatusOK:
		c.bad++
		c.say("status %d", status)
	}
	c.say("renewals %d, calls %d, 401s %d, other failures %d, locked out for %d ms at most", c.renewals, c.calls, c.unauthorized, c.bad, c.longest.Milliseconds())
}

// lockedOut measures how long there were only 401s.
func (c *consumer) lockedOut(is bool, now time.Time) {
	if c.locked.IsZero() && is {
		c.locked = now
	}
	if !c.locked.IsZero() {
		c.longest = max(c.longest, now.Sub(c.locked))
	}
	if !is {
		c.locked = time.Time{}
	}
}

func (c *consumer) call(ctx context.Context, token string) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return 0, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := c.client.Do(request)
	if err != nil {
		return 0, err
	}
	defer func() { _ = response.Body.Close() }()
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, err
}

func (c *consumer) say(format string, args ...any) { _, _ = fmt.Fprintf(c.log, format+"\n", args...) }

// expiry returns the expiry of a JWT.
func expiry(token string) string {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return "an unknown time"
	}
	var claims struct {
		Exp int64 `json:"exp"`
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err == nil {
		err = json.Unmarshal(payload, &claims)
	}
	if err != nil {
		return "an unknown time"
	}
	return time.Unix(claims.Exp, 0).UTC().Format(time.RFC3339)
}
