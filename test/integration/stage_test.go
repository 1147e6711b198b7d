// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange/exchangetest"
)

// stage is what a test has for itself: a namespace, and token endpoints whose faults affect nobody else.
type stage struct {
	*testing.T
	*cluster
	namespace string
	endpoints *exchangetest.Server
	// manager is the label value of the objects created here; empty leaves them to the shared manager.
	manager string
}

// newStage creates a stage. Its objects are deleted when the test ends, after they have been recorded for the search for secrets.
func newStage(t *testing.T) *stage {
	t.Helper()
	c := sharedCluster(t)
	endpoints, err := exchangetest.Start(exchangetest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{T: t, cluster: c, endpoints: endpoints}
	c.remember(func(t *trace) { t.endpoints = append(t.endpoints, endpoints) })
	if s.namespace, err = c.namespace(t.Context(), nameOf(t)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.leave()
		if err := endpoints.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

var notForNames = regexp.MustCompile(`[^a-z0-9]+`)

// nameOf makes an object name of a test's name.
func nameOf(t *testing.T) string {
	name := notForNames.ReplaceAllString(strings.ToLower(t.Name()), "-")
	return strings.Trim(name[:min(len(name), 50)], "-")
}

// leave records what will be searched for leaks, and deletes the objects so that the manager forgets them.
func (s *stage) leave() {
	ctx := context.Background() // the test's own has ended
	if s.Failed() {
		s.explain(ctx)
	}
	if err := s.keep(ctx, s.namespace); err != nil {
		s.Error(err)
	}
	if err := s.Client.DeleteAllOf(ctx, &v1alpha1.CDPCredential{}, client.InNamespace(s.namespace)); err != nil {
		s.Error(err)
	}
}

// explain logs what helps to understand a failure.
func (s *stage) explain(ctx context.Context) {
	list := &v1alpha1.CDPCredentialList{}
	if err := s.Client.List(ctx, list, client.InNamespace(s.namespace)); err != nil {
		s.Log(err)
	}
	for _, item := range list.Items {
		s.Logf("CDPCredential %s: %s", item.Name, statusText(&item))
	}
	if s.manager != "" || s.cluster.manager == nil {
		return
	}
	lines, err := s.cluster.manager.lines(`"error"`, s.namespace)
	if err != nil {
		s.Log(err)
	}
	for _, line := range lines[max(0, len(lines)-3):] {
		s.Logf("the manager logged: %.600s", line)
	}
}

func statusText(obj *v1alpha1.CDPCredential) string {
	var text strings.Builder
	fmt.Fprintf(&text, "generation %d/%d, target %q, next %v", obj.Generation, obj.Status.ObservedGeneration, obj.Status.TargetName, obj.Status.NextRefreshTime)
	for _, c := range obj.Status.Conditions {
		fmt.Fprintf(&text, "\n  %s=%s %s: %s", c.Type, c.Status, c.Reason, c.Message)
	}
	return text.String()
}

// patience is the timeout of everything without a time of its own: this machine may be busy.
const patience = time.Minute

// until waits until check returns nil. On timeout, the test fails with its last error.
func (s *stage) until(within time.Duration, what string, check func() error) {
	s.Helper()
	deadline := time.Now().Add(within)
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			s.Fatalf("waited %[2]s for %[1]s: %[3]v", what, within, err)
		}
		select {
		case <-ticker.C:
		case <-s.Context().Done():
			s.Fatalf("%s: %v", what, s.Context().Err())
		}
	}
}

// throughout requires that check returns nil all the time.
func (s *stage) throughout(span time.Duration, what string, check func() error) {
	s.Helper()
	deadline := time.Now().Add(span)
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for time.Now().Before(deadline) {
		if err := check(); err != nil {
			s.Fatalf("%s: %v", what, err)
		}
		<-ticker.C
	}
}

// must fails the test on an error.
func (s *stage) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// meta returns the metadata of a new object.
func (s *stage) meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: s.namespace, Name: name}
}

// secretOf returns a Secret, nil if there is none.
func (s *stage) secretOf(name string) *corev1.Secret {
	s.Helper()
	secret := &corev1.Secret{}
	err := s.Client.Get(s.Context(), client.ObjectKey{Namespace: s.namespace, Name: name}, secret)
	if apierrors.IsNotFound(err) {
		return nil
	}
	s.must(err)
	return secret
}

// allowed returns the annotations with which a client Secret consents to all of the stage's endpoints, to any CA, and to being copied by basic.
func (s *stage) allowed() map[string]string {
	return map[string]string{v1alpha1.AllowedHostsAnnotation: "127.0.0.1", v1alpha1.AllowedCAAnnotation: "*", v1alpha1.AllowBasicAnnotation: "true"}
}

// fill replaces what a test cannot know beforehand: $NS is the namespace, $HOST and $PORT are those of the OAuth 2.0 endpoint.
func (s *stage) fill(text string) string {
	host := s.endpoints.Host(exchangetest.OAuth2)
	return os.Expand(text, func(name string) string {
		return map[string]string{"NS": s.namespace, "HOST": host, "PORT": strings.TrimPrefix(host, "127.0.0.1:")}[name]
	})
}

// random returns a secret that nobody can guess and every search can find. It has characters that careless encoders get wrong.
func random() string { return "s+/=:%&!" + rand.Text() }

var errNotYet = errors.New("not yet")
