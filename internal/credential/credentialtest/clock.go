// SPDX-License-Identifier: Apache-2.0

// Package credentialtest has what the tests of internal/credential and of controllers write their literals with. It imports neither.
package credentialtest

import (
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// UID is that of the object of these tests, marketing/etl. Its jitter is half of the largest.
const UID = "5f0c8f3a-6d1e-4b57-9a54-3d2b1c0a0898"

// OwnerReferences are those of a target of that object.
func OwnerReferences() []metav1.OwnerReference {
	return []metav1.OwnerReference{{APIVersion: "cdpcredentials.io/v1alpha1", Kind: "CDPCredential", Name: "etl", UID: UID, Controller: new(true)}}
}

const day = "2026-03-01T"

// At is a time of 1 March 2026 (UTC), as in "11:17:43". It panics over what is none, which is a mistake in a test.
func At(clock string) time.Time {
	t, err := time.Parse("2006-01-02T15:04:05", day+clock)
	if err != nil {
		panic(err)
	}
	return t
}

// Clock is the inverse of At. Another day's time is written in full, and zero is empty.
func Clock(t time.Time) string {
	text := t.UTC().Format(time.RFC3339Nano)
	switch {
	case t.IsZero():
		return ""
	case strings.HasPrefix(text, day):
		return strings.TrimSuffix(strings.TrimPrefix(text, day), "Z")
	}
	return text
}
