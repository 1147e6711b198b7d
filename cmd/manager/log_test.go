// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
)

// TestLoggedSecretShowsItsName: a Secret that is logged by mistake shows only its name, whatever the flags are.
func TestLoggedSecretShowsItsName(t *testing.T) {
	secret := &corev1.Secret{Data: map[string][]byte{"token": []byte("s3cret-value")}, StringData: map[string]string{"more": "s3cret-value"}}
	secret.Namespace, secret.Name = "marketing", "etl-token"
	for _, args := range [][]string{
		nil, {"--zap-devel"}, {"--zap-devel", "--zap-encoder=json"}, {"--zap-encoder=console"}, {"--zap-log-level=127"},
	} {
		opts, err := parseFlags(args)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		logger := zap.New(zap.UseFlagOptions(&opts.log), zap.WriteTo(&out))
		logger.Info("Wrote a Secret", "secret", secret)
		if text := out.String(); !strings.Contains(text, "etl-token") || strings.Contains(text, "s3cret") || strings.Contains(text, "czNjcmV0") {
			t.Errorf("%v: %s", args, text)
		}
	}
}
