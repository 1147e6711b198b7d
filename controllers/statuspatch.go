package controllers

import (
	"bytes"
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/types"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// statusPatch is the merge patch (RFC 7396) that makes a status of what is saved. Nobody else writes status, so that it needs no lock; but it
// must not land on another object of the same name.
func statusPatch(uid types.UID, saved, status *v1alpha1.CDPCredentialStatus) ([]byte, error) {
	before, err := fieldsOf(saved)
	if err != nil {
		return nil, err
	}
	after, err := fieldsOf(status)
	if err != nil {
		return nil, err
	}
	difference, err := mergePatch(before, after)
	if err != nil {
		return nil, err
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": uid}, "status": difference})
	if err != nil {
		return nil, fmt.Errorf("write the status patch: %w", err)
	}
	return patch, nil
}

// fields are those of a JSON object, as they were written.
type fields map[string]json.RawMessage

func fieldsOf(value any) (fields, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("write the status: %w", err)
	}
	var f fields
	if err := json.Unmarshal(text, &f); err != nil {
		return nil, fmt.Errorf("read the status: %w", err)
	}
	return f, nil
}

// mergePatch makes one object of another. Both were written by the same hand, so that what is equal is written alike.
func mergePatch(before, after fields) (fields, error) {
	patch := fields{}
	for name := range before {
		if _, still := after[name]; !still {
			patch[name] = json.RawMessage("null")
		}
	}
	for name, is := range after {
		was, had := before[name]
		if bytes.Equal(was, is) {
			continue
		}
		patch[name] = is
		if !had || was[0] != '{' || is[0] != '{' {
			continue
		}
		inner, err := mergePatchInside(was, is)
		if err != nil {
			return nil, err
		}
		patch[name] = inner
	}
	return patch, nil
}

// mergePatchInside does the same for an object within.
func mergePatchInside(was, is json.RawMessage) (json.RawMessage, error) {
	before, err := fieldsOf(was)
	if err != nil {
		return nil, err
	}
	after, err := fieldsOf(is)
	if err != nil {
		return nil, err
	}
	patch, err := mergePatch(before, after)
	if err != nil {
		return nil, err
	}
	return json.Marshal(patch)
}
