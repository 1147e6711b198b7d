// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	sigsyaml "sigs.k8s.io/yaml"
)

// An audit is the API server's audit log: who really asked it for what, independent of what clients report.
type audit struct{ path string }

// auditFlags returns flags that let kube-apiserver log the requests of these users only.
func auditFlags(folder string, users ...string) (*audit, map[string]string, error) {
	policy := filepath.Join(folder, "audit-policy.yaml")
	text, err := sigsyaml.Marshal(map[string]any{
		"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": []string{"RequestReceived"}, "omitManagedFields": true,
		"rules": []map[string]any{{"level": "Metadata", "users": users}, {"level": "None"}},
	})
	if err != nil {
		return nil, nil, fmt.Errorf("encode the audit policy: %w", err)
	}
	if err := os.WriteFile(policy, text, 0o600); err != nil {
		return nil, nil, fmt.Errorf("write the audit policy: %w", err)
	}
	a := &audit{path: filepath.Join(folder, "audit.log")}
	// The log must not be rotated, which happens at 100 MB by default: that is some hundred thousand requests.
	return a, map[string]string{"audit-policy-file": policy, "audit-log-path": a.path, "audit-log-maxsize": "100000"}, nil
}

// A request is one line of the log.
type request struct {
	AuditID string
	Stage   string
	Verb    string
	User    struct{ Username string }
	// ObjectRef is nil for requests without an object, such as discovery.
	ObjectRef *struct{ Resource, Subresource, Namespace, Name string }
	// ResponseStatus is nil if it is unknown.
	ResponseStatus           *struct{ Code int }
	RequestReceivedTimestamp time.Time
	StageTimestamp           time.Time
}

// what returns verb and resource.
func (r *request) what() string {
	if r.ObjectRef == nil {
		return r.Verb + " (no object)"
	}
	if r.ObjectRef.Subresource != "" {
		return r.Verb + " " + r.ObjectRef.Resource + "/" + r.ObjectRef.Subresource
	}
	return r.Verb + " " + r.ObjectRef.Resource
}

func (r *request) writes() bool {
	switch r.Verb {
	case "create", "update", "patch", "delete", "deletecollection":
		return true
	}
	return false
}

// end returns the current size of the log.
func (a *audit) end() (int64, error) {
	info, err := os.Stat(a.path)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	} else if err != nil {
		return 0, fmt.Errorf("look at the audit log: %w", err)
	}
	return info.Size(), nil
}

// since returns the requests of a user between two offsets of the log. A watch counts when it begins, every other request when it ends.
func (a *audit) since(user string, from, to int64) (requests, error) {
	if to < from {
		return nil, errors.New("read the audit log: it was rotated meanwhile")
	}
	file, err := os.Open(a.path)
	if err != nil {
		return nil, fmt.Errorf("open the audit log: %w", err)
	}
	defer func() { _ = file.Close() }()
	lines := bufio.NewReaderSize(io.NewSectionReader(file, from, to-from), 1<<20)
	var found requests
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return found, nil
		} else if err != nil {
			return nil, fmt.Errorf("read the audit log: %w", err)
		}
		var r request
		if err := json.Unmarshal(line, &r); err != nil {
			return nil, fmt.Errorf("parse a line of the audit log: %w", err)
		}
		begins := r.Stage == "ResponseStarted"
		if r.User.Username == user && (r.Verb == "watch") == begins {
			found = append(found, r)
		}
	}
}

type requests []request

// counts returns the number of requests by verb and resource.
func (r requests) counts() map[string]int {
	counts := map[string]int{}
	for i := range r {
		counts[r[i].what()]++
	}
	return counts
}

func (r requests) writes() int {
	n := 0
	for i := range r {
		if r[i].writes() {
			n++
		}
	}
	return n
}

// gets counts the GETs of single objects, of which a no-op must make none.
func (r requests) gets() int {
	n := 0
	for i := range r {
		if r[i].Verb == "get" && r[i].ObjectRef != nil {
			n++
		}
	}
	return n
}

// firstGet returns the time of the first GET of an object, which is when the work begins.
func (r requests) firstGet() time.Time {
	var first time.Time
	for i := range r {
		if r[i].Verb == "get" && r[i].ObjectRef != nil && (first.IsZero() || r[i].RequestReceivedTimestamp.Before(first)) {
			first = r[i].RequestReceivedTimestamp
		}
	}
	return first
}

// span returns the time from the first GET of an object to the end of the last write.
func (r requests) span() time.Duration {
	var last time.Time
	for i := range r {
		if r[i].writes() && r[i].StageTimestamp.After(last) {
			last = r[i].StageTimestamp
		}
	}
	return last.Sub(r.firstGet())
}
