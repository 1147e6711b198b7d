// SPDX-License-Identifier: Apache-2.0

package upgrade

import (
	"bufio"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"
	sigsyaml "sigs.k8s.io/yaml"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange/exchangetest"
	"github.com/cdpcredentials/cdp-credential-operator/test/framework/samples"
)

var record = flag.Bool("record", false, "rewrite testdata/first-version.yaml; needs the commit of the first version")

// years is the lifetime of the recorded tokens. They are due for renewal in 2033, when a quarter of it is left.
const years = 9 * 365 * 24 * time.Hour

const recordFile = "testdata/first-version.yaml"

// TestFirstVersionsRecordCostsNoExchange: today's version accepts what the first version wrote. The recorded token endpoints are gone and the manager
// may not connect to their addresses, so an exchange would fail and be reported.
func TestFirstVersionsRecordCostsNoExchange(t *testing.T) {
	t.Parallel()
	latest := today(t)
	w := newWorld(t, latest.root)
	w.install(latest)
	kubeconfig := w.account()
	credentials, secrets := readRecord(t)
	w.restore(credentials, secrets)
	w.valid()
	written, said := w.versions(), w.statuses()
	for _, turn := range []string{"the first start", "the second start"} {
		m := w.start(latest, kubeconfig, "--leader-elect=false")
		w.settled(m, len(credentials))
		for name, value := range w.metrics(m) {
			if strings.HasPrefix(name, "cdpcredential_exchanges_total") && value > 0 {
				t.Errorf("%s: %s is %v", turn, name, value)
			}
		}
		w.stop(m)
		now := w.versions()
		for name, version := range written {
			// The renewal time depends on the object's UID, which is a new one here: the first start writes it to status.
			if strings.HasPrefix(name, "CDPCredential ") && turn == "the first start" {
				written[name] = now[name]
			} else if now[name] != version {
				t.Errorf("%s wrote %s", turn, name)
			}
		}
		if diff := cmp.Diff(said, w.statuses()); diff != "" {
			t.Errorf("after %s status differs: %s", turn, diff)
		}
	}
}

// statuses returns the status of all objects, without the time of the next renewal.
func (w *world) statuses() map[string]v1alpha1.CDPCredentialStatus {
	w.Helper()
	statuses := map[string]v1alpha1.CDPCredentialStatus{}
	for _, object := range w.credentials() {
		object.Status.NextRefreshTime = nil
		statuses[object.Name] = object.Status
	}
	return statuses
}

// TestRecordOfThisVersion writes the record, with -record.
func TestRecordOfThisVersion(t *testing.T) {
	if !*record {
		t.Skip("only with -record")
	}
	old, ok := at(t, first)
	if !ok {
		t.Fatal("this clone lacks the first version")
	}
	w := newWorld(t, old.root)
	w.install(old)
	kubeconfig := w.account()
	endpoints, err := exchangetest.Start(exchangetest.Options{Behaviour: exchangetest.Behaviour{Lifetime: years}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = endpoints.Close() })
	all, err := samples.Apply(t.Context(), w.Cluster, endpoints, namespace, years)
	if err != nil {
		t.Fatal(err)
	}
	m := w.start(old, kubeconfig, "--leader-elect=false", "--allowed-cidrs=127.0.0.0/8,::1/128")
	w.wait("all are ready", func() bool { return w.ready(len(all)) })
	w.settled(m, len(all))
	var out strings.Builder
	out.WriteString("# What the first version wrote: " + first + ". Made by TestRecordOfThisVersion; tokens and secrets are those of stand-ins.\n")
	write := func(object client.Object) {
		object.SetManagedFields(nil)
		object.SetCreationTimestamp(metav1.Time{})
		annotations := object.GetAnnotations()
		delete(annotations, "kubectl.kubernetes.io/last-applied-configuration")
		object.SetAnnotations(annotations)
		text, err := sigsyaml.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		out.WriteString("---\n" + string(text))
	}
	for _, object := range w.credentials() {
		if object.Name == "adobe-service-account" {
			continue // its client Secret has a private key
		}
		object.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("CDPCredential"))
		write(&object)
	}
	for _, secret := range w.secrets() {
		if strings.HasPrefix(secret.Name, "adobe-service-account") {
			continue
		}
		secret.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
		write(&secret)
	}
	if err := os.WriteFile(recordFile, []byte(out.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

func readRecord(t *testing.T) (credentials []v1alpha1.CDPCredential, secrets []corev1.Secret) {
	t.Helper()
	file, err := os.Open(filepath.FromSlash(recordFile))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	documents := yaml.NewYAMLReader(bufio.NewReader(file))
	for {
		text, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return credentials, secrets
		}
		var kind metav1.TypeMeta
		var object v1alpha1.CDPCredential
		var secret corev1.Secret
		if err == nil {
			err = yaml.Unmarshal(text, &kind)
		}
		switch kind.Kind {
		case "CDPCredential":
			err = errors.Join(err, yaml.Unmarshal(text, &object))
			credentials = append(credentials, object)
		case "Secret":
			err = errors.Join(err, yaml.Unmarshal(text, &secret))
			secrets = append(secrets, secret)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// restore creates the recorded objects. The API server assigns new UIDs and versions, so references to them are updated: owner references, and the
// versions of Secrets in status and state annotations.
func (w *world) restore(credentials []v1alpha1.CDPCredential, secrets []corev1.Secret) {
	w.Helper()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}
	if err := w.Client.Create(w.Context(), ns); err != nil {
		w.Fatal(err)
	}
	owners, versions := map[types.UID]types.UID{}, []string{}
	statuses := map[string]v1alpha1.CDPCredentialStatus{}
	for _, object := range credentials {
		uid := object.UID
		statuses[object.Name] = object.Status
		w.create(&object)
		owners[uid] = object.UID
	}
	// Client Secrets first: the targets' state annotations name their versions.
	for _, targets := range []bool{false, true} {
		for _, secret := range secrets {
			if (len(secret.OwnerReferences) > 0) != targets {
				continue
			}
			was := string(secret.UID) + "/" + secret.ResourceVersion
			for i := range secret.OwnerReferences {
				secret.OwnerReferences[i].UID = owners[secret.OwnerReferences[i].UID]
			}
			state := secret.Annotations[v1alpha1.StateAnnotation]
			if targets {
				secret.Annotations[v1alpha1.StateAnnotation] = strings.NewReplacer(versions...).Replace(state)
			}
			w.create(&secret)
			versions = append(versions, was, string(secret.UID)+"/"+secret.ResourceVersion)
		}
	}
	for _, object := range w.credentials() {
		object.Status = statuses[object.Name]
		object.Status.TargetVersion = strings.NewReplacer(versions...).Replace(object.Status.TargetVersion)
		if err := w.Client.Status().Update(w.Context(), &object); err != nil {
			w.Fatal(err)
		}
	}
}

func (w *world) create(object client.Object) {
	w.Helper()
	object.SetUID("")
	object.SetResourceVersion("")
	if err := w.Client.Create(w.Context(), object); err != nil {
		w.Fatal(err)
	}
}
