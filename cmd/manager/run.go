// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	mathrand "math/rand/v2"
	"net/http"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/discovery"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/controllers"
	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
	"github.com/cdpcredentials/cdp-credential-operator/internal/slimcache"
	"github.com/cdpcredentials/cdp-credential-operator/internal/telemetry"
)

// run assembles the operator and runs it until ctx ends.
func run(ctx context.Context, opts *options) error {
	transports := &egress.Transports{Policy: opts.addresses, Proxy: http.ProxyFromEnvironment, MaxConnsPerHost: 2 * opts.limits.HostInFlight}
	authorities := &caFile{path: opts.caFile, trust: transports.TrustAlso, log: ctrl.Log.WithName("ca-file")}
	if _, err := authorities.load(); err != nil {
		return err
	}
	config, err := ctrl.GetConfig()
	if err != nil {
		return fmt.Errorf("find the cluster: %w", err)
	}
	local := newMachineClock()
	config.Wrap(local.listen)
	mgr, err := newManager(config, opts)
	if err != nil {
		return fmt.Errorf("make the manager: %w", err)
	}
	own, watchdog, err := registerMetrics(local)
	if err != nil {
		return err
	}
	if err := mgr.Add(authorities); err != nil {
		return fmt.Errorf("set up the CA file: %w", err)
	}
	keys, err := exchange.NewKeys(rand.Reader)
	if err != nil {
		return fmt.Errorf("set up the private keys: %w", err)
	}
	recorder := newEventWriter(mgr.GetClient())
	if err := mgr.Add(recorder); err != nil {
		return fmt.Errorf("set up the events: %w", err)
	}
	reconciler := &controllers.CDPCredentialReconciler{
		Cluster: controllers.Cluster{Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Recorder: recorder},
		Endpoints: controllers.Endpoints{
			Exchanger: exchange.Exchanger{Now: local.Now, Rand: rand.Reader, Keys: keys}, Transports: transports, Gate: egress.NewGate(opts.limits),
		},
		Policy: credential.Policy{
			AllowedHosts: opts.allowedHosts, TokenHostsOnly: opts.tokenHostsOnly, AllowedMetadata: opts.allowedMetadata, RolloutRestart: opts.rolloutRestart, PodRefresh: opts.podRefresh,
		},
		Sources:   controllers.Sources{Clock: local, LocalClock: local, Jitter: mathrand.Float64, Rand: rand.Reader},
		Metrics:   own,
		OwnWrites: &credential.OwnWrites{},
		Watchdog:  watchdog,
	}
	if err := addController(ctx, mgr, opts, reconciler); err != nil {
		return err
	}
	if err := addClockWatch(mgr, local, reconciler.ClockChanged); err != nil {
		return fmt.Errorf("set up the watch of the clock: %w", err)
	}
	if err := addProbes(mgr, watchdog); err != nil {
		return err
	}
	return mgr.Start(ctx)
}

func registerMetrics(local *machineClock) (*telemetry.Metrics, *telemetry.Watchdog, error) {
	own, err := telemetry.New(metrics.Registry)
	if err != nil {
		return nil, nil, fmt.Errorf("register metrics: %w", err)
	}
	if err := telemetry.RegisterBuildInfo(metrics.Registry, version); err != nil {
		return nil, nil, fmt.Errorf("register the build's metric: %w", err)
	}
	watchdog, err := telemetry.NewWatchdog(local, metrics.Registry)
	return own, watchdog, err
}

func addProbes(mgr ctrl.Manager, watchdog *telemetry.Watchdog) error {
	if err := mgr.AddHealthzCheck("queue", watchdog.Check); err != nil {
		return fmt.Errorf("set up the health check: %w", err)
	}
	if err := mgr.AddReadyzCheck("readyz", healthz.Ping); err != nil {
		return fmt.Errorf("set up the readiness check: %w", err)
	}
	return nil
}

func addController(ctx context.Context, mgr ctrl.Manager, opts *options, reconciler *controllers.CDPCredentialReconciler) error {
	if err := reconciler.SetupWithManager(ctx, mgr, opts.concurrency); err != nil {
		return fmt.Errorf("set up the controller: %w", err)
	}
	if !opts.podRefresh {
		return nil
	}
	if err := reconciler.EnablePodRefresh(mgr, clock.RealClock{}); err != nil {
		return fmt.Errorf("set up the refresh of pods: %w", err)
	}
	return nil
}

// addClockWatch calls changed after the local clock was adjusted.
func addClockWatch(mgr ctrl.Manager, local *machineClock, changed func(context.Context) error) error {
	ask, err := askVersion(mgr)
	if err != nil {
		return err
	}
	return mgr.Add(&clockWatch{clock: local, every: 5 * time.Second, ask: ask, tell: changed})
}

// askVersion requests the API server's version: the cheapest request, which everyone may make.
func askVersion(mgr ctrl.Manager) (func(context.Context), error) {
	client, err := discovery.NewDiscoveryClientForConfigAndClient(mgr.GetConfig(), mgr.GetHTTPClient())
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) { _ = client.RESTClient().Get().AbsPath("/version").Do(ctx).Error() }, nil
}

func newManager(config *rest.Config, opts *options) (ctrl.Manager, error) {
	// The API server's own fairness is the limit. client-go's default of 5 requests a second would limit us with tens of objects already.
	config.QPS = -1
	scheme := runtime.NewScheme()
	if err := clientgoscheme.AddToScheme(scheme); err != nil {
		return nil, err
	}
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return nil, err
	}
	return ctrl.NewManager(config, ctrl.Options{
		Scheme:                  scheme,
		Logger:                  ctrl.Log,
		Cache:                   cacheOptions(opts),
		Metrics:                 metricsOptions(opts),
		HealthProbeBindAddress:  opts.probeAddress,
		PprofBindAddress:        opts.pprofAddress,
		LeaderElection:          opts.leaderElect,
		LeaderElectionID:        leaseName(opts.selector, opts.namespaces),
		LeaderElectionNamespace: opts.leaderElectionNamespace,
		// The process ends right after the manager has stopped, so the Lease can be released for the next leader at once.
		LeaderElectionReleaseOnCancel: true,
		// The Lease is checked at this interval, so that the next leader takes over within 1.65 s (client-go waits up to 2.2 times as long).
		RetryPeriod: new(750 * time.Millisecond),
	})
}

// cacheOptions keeps the cache small: only the metadata of Secrets, and only those parts that are read.
func cacheOptions(opts *options) cache.Options {
	options := cache.Options{
		ByObject: map[client.Object]cache.ByObject{
			&v1alpha1.CDPCredential{}: {Label: opts.selector, Transform: slimcache.Credentials()},
		},
		DefaultTransform: slimcache.SecretMetadata(func(key string) bool { return credential.AllowedTargetKey(key, opts.allowedMetadata) }),
	}
	if len(opts.namespaces) > 0 {
		options.DefaultNamespaces = map[string]cache.Config{}
		for _, name := range opts.namespaces {
			options.DefaultNamespaces[name] = cache.Config{}
		}
	}
	return options
}

func metricsOptions(opts *options) server.Options {
	options := server.Options{BindAddress: opts.metricsAddress, SecureServing: opts.metricsSecure, CertDir: opts.metricsCertDir}
	if opts.metricsSecure {
		options.FilterProvider = filters.WithAuthenticationAndAuthorization
		// HTTP/2's benefit here is not worth the risk of rapid reset (CVE-2023-44487).
		options.TLSOpts = []func(*tls.Config){func(c *tls.Config) { c.NextProtos = []string{"http/1.1"}; c.MinVersion = tls.VersionTLS12 }}
	}
	return options
}
