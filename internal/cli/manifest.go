// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// A manifest is what a file has for a command: objects, and maybe their Secrets.
type manifest struct {
	objects []v1alpha1.CDPCredential
	secrets []corev1.Secret
}

// readManifest reads a file, or standard input for "-". Objects of other kinds are passed by.
func readManifest(env Environment, path string) (manifest, error) {
	var m manifest
	content, err := readFile(env, path)
	if err != nil {
		return m, err
	}
	documents := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(content)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return m, nil
		}
		if err != nil {
			return m, fmt.Errorf("read %s: %w", path, err)
		}
		if err := m.add(document); err != nil {
			return m, fmt.Errorf("read %s: %w", path, err)
		}
	}
}

func readFile(env Environment, path string) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(env.In)
	}
	return os.ReadFile(path) //nolint:gosec // the user says which
}

func (m *manifest) add(document []byte) error {
	var kind metav1.TypeMeta
	if err := yaml.Unmarshal(document, &kind); err != nil {
		return errors.New("it is no YAML") // what is wrong with it may quote it, and a Secret may be in it
	}
	switch {
	case kind.Kind == "CDPCredential" && kind.APIVersion == v1alpha1.GroupVersion.String():
		var obj v1alpha1.CDPCredential
		if err := yaml.UnmarshalStrict(document, &obj); err != nil {
			return fmt.Errorf("CDPCredential: %s", plain(err.Error()))
		}
		m.objects = append(m.objects, obj)
	case kind.Kind == "CDPCredential":
		return fmt.Errorf("a CDPCredential of %q: this program knows %s", plain(kind.APIVersion), v1alpha1.GroupVersion)
	case kind.Kind == "Secret" && kind.APIVersion == "v1":
		var secret corev1.Secret
		if yaml.Unmarshal(document, &secret) != nil {
			return errors.New("a Secret in it cannot be read")
		}
		if secret.Data == nil {
			secret.Data = map[string][]byte{}
		}
		for key, value := range secret.StringData {
			secret.Data[key] = []byte(value)
		}
		m.secrets = append(m.secrets, secret)
	}
	return nil
}

// subject is the one object that a command is about: that of a file, or one of the cluster.
type subject struct{ file string }

func (f *subject) check(args []string) error {
	byName, byFile := len(args) == 1 && f.file == "", len(args) == 0 && f.file != ""
	if byName || byFile {
		return nil
	}
	return usageErrorf("give either the name of one CDPCredential or -f FILE")
}

// find reads it. A file is read without the cluster.
func (f *subject) find(ctx context.Context, env Environment, connect *connection, args []string) (*v1alpha1.CDPCredential, []corev1.Secret, error) {
	if f.file == "" {
		_, obj, err := connect.openCredential(ctx, args[0])
		return obj, nil, err
	}
	m, err := readManifest(env, f.file)
	if err != nil {
		return nil, nil, err
	}
	if len(m.objects) != 1 {
		return nil, nil, usageErrorf("%s has %d CDPCredentials: it is to have one", f.file, len(m.objects))
	}
	return &m.objects[0], m.secrets, nil
}
