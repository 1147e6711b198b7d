// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/controllers"
	decision "github.com/cdpcredentials/cdp-credential-operator/internal/credential"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
	"github.com/cdpcredentials/cdp-credential-operator/internal/slimcache"
	"github.com/cdpcredentials/cdp-credential-operator/internal/telemetry"
)

// operator is an operator in this process, for one stage only, whose requests to the API server are recorded.
type operator struct {
	requests *requests
	stop     func()
}

// assembly is what a test wants to be different from cmd/manager.
type assembly struct {
	intercept interceptor.Funcs
	resolver  egress.Resolver
	// identity is the identity of the operator. Nil: the shared manager's.
	identity       *identity
	rolloutRestart bool
	podRefresh     bool
	// namespaces are watched in addition to the stage's; limits are the gate's.
	namespaces []string
	limits     egress.Limits
	// allowedMetadata is --allowed-target-metadata.
	allowedMetadata []string
	// metrics and log receive the operator's metrics and log. May be unset.
	metrics *prometheus.Registry
	log     logr.Logger
	// wrap wraps the transport to the API server.
	wrap func(http.RoundTripper) http.RoundTripper
}

// quiet creates a credential and waits until it is processed completely: by then the operator has processed everything before it.
func (s *stage) quiet(name string) {
	s.Helper()
	probe := s.ready("probe-" + name)
	s.until(patience, "the probe's event", func() error {
		if len(s.eventsOf(probe.name, "TokenRefreshed")) == 0 {
			return errNotYet
		}
		return nil
	})
}

// operate starts an operator with the rights of the shared manager, which serves the objects that the stage creates from now on.
func (s *stage) operate(a assembly) *operator {
	s.Helper()
	s.manager = s.namespace
	o := &operator{requests: &requests{}}
	restConfig := rest.CopyConfig(s.identity.config)
	if a.identity != nil {
		restConfig = rest.CopyConfig(a.identity.config)
	}
	restConfig.Wrap(func(next http.RoundTripper) http.RoundTripper { return counted{next, o.requests} })
	if a.wrap != nil {
		restConfig.Wrap(a.wrap)
	}
	ctx, cancel := context.WithCancel(context.Background())
	mgr, _, err := assemble(ctx, restConfig, s.namespace, a)
	s.must(err)
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	o.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			s.Errorf("the operator ended with %v", err)
		}
	})
	s.Cleanup(o.stop)
	if !mgr.GetCache().WaitForCacheSync(s.Context()) {
		s.Fatal("the operator's cache did not sync")
	}
	return o
}

// assemble builds an operator as cmd/manager does, for the stage's namespace and those of the assembly.
func assemble(ctx context.Context, restConfig *rest.Config, namespace string, a assembly) (ctrl.Manager, *egress.Transports, error) {
	restConfig.QPS = -1
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return nil, nil, err
	}
	watched := map[string]cache.Config{namespace: {}}
	for _, name := range a.namespaces {
		watched[name] = cache.Config{}
	}
	mgr, err := ctrl.NewManager(restConfig, ctrl.Options{
		Scheme: scheme,
		Logger: a.log,
		Cache: cache.Options{
			ByObject: map[client.Object]cache.ByObject{
				&v1alpha1.CDPCredential{}: {Transform: slimcache.Credentials()},
			},
			DefaultTransform:  slimcache.SecretMetadata(func(key string) bool { return decision.AllowedTargetKey(key, nil) }),
			DefaultNamespaces: watched,
		},
		Metrics:                server.Options{BindAddress: "0"},
		HealthProbeBindAddress: "0",
		Controller:             config.Controller{SkipNameValidation: new(true)},
		NewClient: func(restConfig *rest.Config, options client.Options) (client.Client, error) {
			inner, err := client.NewWithWatch(restConfig, options)
			if err != nil {
				return nil, err
			}
			return interceptor.NewClient(inner, a.intercept), nil
		},
	})
	if err != nil {
		return nil, nil, err
	}
	metrics, err := telemetry.New(cmp.Or(a.metrics, prometheus.NewRegistry()))
	if err != nil {
		return nil, nil, err
	}
	transports := &egress.Transports{Policy: egress.Policy{Allowed: []netip.Prefix{netip.MustParsePrefix(openAddress)}}, Resolver: a.resolver}
	reconciler := &controllers.CDPCredentialReconciler{
		Cluster: controllers.Cluster{
			Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Recorder: mgr.GetEventRecorder("cdp-credential-operator"),
		},
		Endpoints: controllers.Endpoints{
			Exchanger: exchange.Exchanger{Now: time.Now, Rand: rand.Reader}, Transports: transports, Gate: egress.NewGate(a.limits),
		},
		Policy:    decision.Policy{AllowedMetadata: a.allowedMetadata, RolloutRestart: a.rolloutRestart, PodRefresh: a.podRefresh},
		Sources:   controllers.Sources{Clock: clock.RealClock{}, Jitter: mathrand.Float64, Rand: rand.Reader},
		Metrics:   metrics,
		OwnWrites: &decision.OwnWrites{},
	}
	if a.podRefresh {
		if err := reconciler.EnablePodRefresh(mgr, clock.RealClock{}); err != nil {
			return nil, nil, err
		}
	}
	return mgr, transports, reconciler.SetupWithManager(ctx, mgr, 32)
}

// requests are the requests that an operator has sent to the API server: a verb, a resource and the name, as in "get secrets/etl-client". Requests
// about probes are left out, and so are watches, which end and restart by themselves.
type requests struct {
	mu  sync.Mutex
	all []string
}

// since returns the requests after the first n, sorted.
func (r *requests) since(n int) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Sorted(slices.Values(r.all[n:]))
}

// writes returns the requests other than reads, in order. Events are left out because they are sent asynchronously.
func (r *requests) writes() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(r.all), func(request string) bool {
		verb, what, _ := strings.Cut(request, " ")
		return verb == "get" || verb == "list" || what == "events"
	})
}

func (r *requests) len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.all)
}

func (r *requests) add(request *http.Request) {
	description := describe(request)
	if strings.HasPrefix(description, "watch ") || strings.Contains(description, "/probe-") {
		return
	}
	if request.GetBody != nil {
		if body, err := request.GetBody(); err == nil {
			if content, err := io.ReadAll(body); err == nil && bytes.Contains(content, []byte("probe-")) {
				return
			}
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, description)
}

type counted struct {
	next http.RoundTripper
	log  *requests
}

func (c counted) RoundTrip(request *http.Request) (*http.Response, error) {
	c.log.add(request)
	return c.next.RoundTrip(request)
}

// describe describes a request in the terms of RBAC.
func describe(request *http.Request) string {
	path := strings.Split(strings.Trim(request.URL.Path, "/"), "/")
	at := slices.Index(path, "namespaces")
	if at < 0 || len(path) < at+3 {
		return strings.ToLower(request.Method) + " " + request.URL.Path
	}
	what := path[at+2:]
	verb := strings.ToLower(request.Method)
	switch {
	case request.URL.Query().Get("watch") != "":
		verb = "watch"
	case verb == "get" && len(what) == 1:
		verb = "list"
	case verb == "post":
		verb = "create"
	case verb == "put":
		verb = "update"
	}
	return verb + " " + strings.Join(what, "/")
}
