// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// eventServer accepts events, after answering with the given errors.
type eventServer struct {
	client.Client
	scheme *runtime.Scheme
	hangs  bool

	mu     sync.Mutex
	errors []error
	tries  int
	taken  []*eventsv1.Event
}

func (s *eventServer) Scheme() *runtime.Scheme { return s.scheme }

func (s *eventServer) Create(ctx context.Context, obj client.Object, _ ...client.CreateOption) error {
	if s.hangs {
		<-ctx.Done()
		return ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tries++
	if len(s.errors) > 0 {
		err := s.errors[0]
		s.errors = s.errors[1:]
		return err
	}
	s.taken = append(s.taken, obj.(*eventsv1.Event))
	return nil
}

func newEventServer(t *testing.T, answers ...error) *eventServer {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		t.Fatal(err)
	}
	return &eventServer{scheme: scheme, errors: answers}
}

// TestEventWriterWritesWhatItWasTold: events have the right content, and those recorded at the end are written, too.
func TestEventWriterWritesWhatItWasTold(t *testing.T) {
	t.Parallel()
	server := newEventServer(t)
	w := newEventWriter(server)
	obj := credentialOf("etl")
	for range 100 {
		w.Eventf(obj, secretNamed(obj.Namespace, "etl-token"), corev1.EventTypeNormal, "TokenRefreshed", "Refresh", "Wrote a new token to Secret %s", "etl-token")
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if err := w.Start(ended); err != nil {
		t.Fatal(err)
	}
	if len(server.taken) != 100 {
		t.Fatalf("%d events were written, want 100", len(server.taken))
	}
	event := server.taken[0]
	got := []string{
		event.Namespace, event.Regarding.Kind, event.Regarding.Name, string(event.Regarding.UID), event.Regarding.APIVersion, event.Related.Kind, event.Related.Name,
		event.Type, event.Reason, event.Action, event.Note, event.ReportingController,
	}
	want := []string{
		"marketing", "CDPCredential", "etl", string(obj.UID), "cdpcredentials.io/v1alpha1", "Secret", "etl-token",
		"Normal", "TokenRefreshed", "Refresh", "Wrote a new token to Secret etl-token", "cdp-credential-operator",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if event.EventTime.IsZero() || event.Name == "" || event.ReportingInstance == "" {
		t.Errorf("time %v, name %q, instance %q", event.EventTime, event.Name, event.ReportingInstance)
	}
}

// TestEventWriterRetriesWhatMayWork: only errors that may go away are retried.
func TestEventWriterRetriesWhatMayWork(t *testing.T) {
	t.Parallel()
	gone := errors.New("connection refused")
	busy := apierrors.NewTooManyRequests("later", 1)
	for name, tc := range map[string]struct {
		answers []error
		tries   int
		taken   int
	}{
		"taken at once":         {nil, 1, 1},
		"an API server is away": {[]error{gone, busy, gone}, 4, 1},
		"it stays away":         {[]error{gone, gone, gone, gone, gone, gone, gone}, 5, 0},
		"there already":         {[]error{gone, apierrors.NewAlreadyExists(schema.GroupResource{Resource: "events"}, "etl.1")}, 2, 0},
		"refused":               {[]error{apierrors.NewForbidden(schema.GroupResource{Resource: "events"}, "etl.1", errors.New("the namespace is being deleted"))}, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				server := newEventServer(t, tc.answers...)
				w := newEventWriter(server)
				if !w.create(t.Context(), t.Context(), &eventsv1.Event{}) {
					t.Error("create returned false, as at shutdown")
				}
				if server.tries != tc.tries || len(server.taken) != tc.taken {
					t.Errorf("%d attempts, %d accepted; want %d, %d", server.tries, len(server.taken), tc.tries, tc.taken)
				}
			})
		})
	}
}

// TestEventWriterTriesOnceAtShutdown: while the process ends and the API server is unreachable, one event is tried once, and the rest is dropped.
func TestEventWriterTriesOnceAtShutdown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		gone := errors.New("connection refused")
		server := newEventServer(t, gone, gone)
		w := newEventWriter(server)
		ended, end := context.WithCancel(t.Context())
		end()
		if w.create(ended, t.Context(), &eventsv1.Event{}) || server.tries != 1 {
			t.Errorf("it continued after %d attempts", server.tries)
		}
	})
}

// TestEventWriterNeverBlocks: an unreachable API server does not delay the reconciles that record events.
func TestEventWriterNeverBlocks(t *testing.T) {
	t.Parallel()
	w := newEventWriter(newEventServer(t))
	obj := credentialOf("etl")
	for range 3000 {
		w.Eventf(obj, nil, corev1.EventTypeNormal, "TokenRefreshed", "Refresh", "Wrote a new token")
	}
	if waiting := len(w.queue); waiting != 2000 {
		t.Errorf("%d events are queued, want 2000", waiting)
	}
}

// TestEventWriterEndsInTimeAtShutdown: a hanging API server does not delay the end of the process for long, however many events are pending.
func TestEventWriterEndsInTimeAtShutdown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := newEventServer(t)
		server.hangs = true
		w := newEventWriter(server)
		obj := credentialOf("etl")
		for range 1000 {
			w.Eventf(obj, nil, corev1.EventTypeNormal, "TokenRefreshed", "Refresh", "Wrote a new token")
		}
		ctx, end := context.WithCancel(t.Context())
		began := time.Now()
		time.AfterFunc(time.Second, end)
		if err := w.Start(ctx); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > 4*time.Second {
			t.Errorf("it ended %s after it was stopped", took-time.Second)
		}
	})
}

func credentialOf(name string) *v1alpha1.CDPCredential {
	obj := &v1alpha1.CDPCredential{}
	obj.Namespace, obj.Name, obj.UID = "marketing", name, "5f0c8f3a-6d1e-4b57-9a54-3d2b1c0a0898"
	return obj
}

func secretNamed(namespace, name string) *corev1.Secret {
	secret := &corev1.Secret{}
	secret.Namespace, secret.Name = namespace, name
	secret.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
	return secret
}
