// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/cli"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange/exchangetest"
	"github.com/cdpcredentials/cdp-credential-operator/test/framework"
)

// patience is the timeout for anything that the operator does.
const patience = 60 * time.Second

// A world is the cluster in which the commands run.
type world struct {
	*framework.Cluster
	endpoints *exchangetest.Server
	manager   *framework.Manager
	clientset *kubernetes.Clientset
	stops     []func() error
}

var (
	shared    = sync.OnceValues(func() (*world, error) { return start(nil, func(end func() error) { sharedEnd = end }) })
	sharedEnd func() error
)

func TestMain(m *testing.M) {
	code := m.Run()
	if sharedEnd != nil {
		if err := sharedEnd(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
	}
	os.Exit(code)
}

// start starts an API server, stand-ins that have certificates for hosts, too, and the manager. later is given what ends them, even after an error.
func start(hosts []string, later func(end func() error), flags ...string) (*world, error) {
	ctx := context.Background()
	w := &world{}
	temp, err := os.MkdirTemp("", "cdp-cli-")
	if err != nil {
		return nil, err
	}
	w.stops = append(w.stops, func() error { return os.RemoveAll(temp) })
	later(w.end)
	root, err := framework.ModuleRoot(ctx)
	if err != nil {
		return w, err
	}
	assets, err := framework.Assets(ctx, root)
	if err != nil {
		return w, err
	}
	cluster, stop, err := framework.Start(ctx, framework.Cluster{Root: root, Temp: temp, Assets: assets}, "default")
	w.Cluster = cluster
	w.stops = append(w.stops, stop)
	if err != nil {
		return w, err
	}
	if w.clientset, err = kubernetes.NewForConfig(cluster.Config); err != nil {
		return w, err
	}
	if w.endpoints, err = exchangetest.Start(exchangetest.Options{Hosts: hosts}); err != nil {
		return w, err
	}
	w.stops = append(w.stops, w.endpoints.Close)
	binary, err := framework.BuildManager(ctx, root, temp)
	if err != nil {
		return w, err
	}
	kubeconfig, err := cluster.ManagerKubeconfig(ctx)
	if err != nil {
		return w, err
	}
	flags = append(flags, "--leader-elect", "--leader-election-namespace="+framework.SystemNamespace, "--allowed-cidrs=127.0.0.1/32")
	w.manager, err = framework.StartManager(ctx, binary, kubeconfig, filepath.Join(temp, "manager.log"), flags...)
	if err == nil {
		w.stops = append(w.stops, w.manager.Stop)
	}
	return w, err
}

func (w *world) end() error {
	var errs []error
	for i := range w.stops {
		errs = append(errs, w.stops[len(w.stops)-1-i]())
	}
	return errors.Join(errs...)
}

// A stage is the namespace of a test.
type stage struct {
	*testing.T
	*world
	namespace string
	env       map[string]string
	// interactive lets a person answer questions.
	interactive bool
	// ahead is the error of the commands' clock.
	ahead time.Duration
	// secrets are the answers to hidden prompts.
	secrets []string
}

func newStage(t *testing.T) *stage {
	t.Helper()
	if testing.Short() {
		t.Skip("needs an API server")
	}
	w, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return w.stage(t)
}

// stage makes a test's namespace.
func (w *world) stage(t *testing.T) *stage {
	t.Helper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "cli-"}}
	if err := w.Client.Create(t.Context(), namespace); err != nil {
		t.Fatal(err)
	}
	return &stage{T: t, world: w, namespace: namespace.Name, env: map[string]string{}}
}

func (s *stage) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// An answer is the output of a command and its exit code.
type answer struct {
	code     int
	out, err string
}

// run runs a command in the namespace, as an administrator.
func (s *stage) run(args ...string) answer {
	s.Helper()
	return s.runWith("", args...)
}

// runWith is run with standard input.
func (s *stage) runWith(input string, args ...string) answer {
	s.Helper()
	var out, errs bytes.Buffer
	always := []string{"--kubeconfig", s.AdminKubeconfig(), "-n", s.namespace, "--cache-dir", filepath.Join(s.Temp, "cache")}
	code := cli.Run(s.Context(), append(args, always...), cli.Environment{
		In: strings.NewReader(input), Out: &out, Err: &errs, Now: func() time.Time { return time.Now().Add(s.ahead) }, Version: "v0.0.0-test", Interactive: s.interactive,
		ReadSecret: func() ([]byte, error) {
			if len(s.secrets) == 0 {
				return nil, io.EOF
			}
			next := s.secrets[0]
			s.secrets = s.secrets[1:]
			return []byte(next), nil
		},
		Getenv: func(name string) string { return s.env[name] },
	})
	a := answer{code: code, out: out.String(), err: errs.String()}
	for _, secret := range s.endpoints.Secrets() {
		if strings.Contains(a.out+a.err, secret) {
			s.Fatalf("cdpcred %s prints a secret", strings.Join(args, " "))
		}
	}
	return a
}

// expect is run for commands whose exit code and output are known.
func (s *stage) expect(code int, texts []string, args ...string) answer {
	s.Helper()
	a := s.run(args...)
	a.check(s.T, code, texts, args)
	return a
}

func (a answer) check(t *testing.T, code int, texts, args []string) {
	t.Helper()
	if a.code != code {
		t.Fatalf("cdpcred %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), a.code, code, a.out, a.err)
	}
	for _, text := range texts {
		if !strings.Contains(a.out+a.err, text) {
			t.Errorf("cdpcred %s: no %q in\n%s%s", strings.Join(args, " "), text, a.out, a.err)
		}
	}
}

// eventually repeats a command until it has this exit code and output.
func (s *stage) eventually(code int, text string, args ...string) answer {
	s.Helper()
	deadline := time.After(patience)
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		a := s.run(args...)
		if a.code == code && strings.Contains(a.out+a.err, text) {
			return a
		}
		select {
		case <-deadline:
			s.Fatalf("cdpcred %s: want exit code %d and %q within %s, got %d and\n%s%s", strings.Join(args, " "), code, text, patience, a.code, a.out, a.err)
		case <-ticker.C:
		}
	}
}

// credential creates an object and its client, which is registered at the stand-in.
func (s *stage) credential(name string, change ...func(*v1alpha1.CDPCredential, *corev1.Secret)) exchangetest.Client {
	s.Helper()
	client := exchangetest.Client{System: exchangetest.OAuth2, ID: rand.Text(), Secret: rand.Text()}
	s.must(s.endpoints.Register(client))
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: s.namespace, Name: name + "-client", Annotations: map[string]string{v1alpha1.AllowedHostsAnnotation: s.endpoints.Host(exchangetest.OAuth2)},
		},
		StringData: map[string]string{"client-id": client.ID, "client-secret": client.Secret, "ca.crt": string(s.endpoints.CABundle())},
	}
	obj := &v1alpha1.CDPCredential{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: name},
		Spec: v1alpha1.CDPCredentialSpec{
			Provider:        v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{TokenURL: v1alpha1.HTTPSURL(s.endpoints.TokenURL(exchangetest.OAuth2))}},
			ClientSecretRef: v1alpha1.ClientSecretReference{Name: name + "-client"},
			Target:          v1alpha1.Target{Name: name + "-token"},
		},
	}
	for _, f := range change {
		f(obj, secret)
	}
	s.must(s.Client.Create(s.Context(), secret))
	s.must(s.Client.Create(s.Context(), obj))
	return client
}
