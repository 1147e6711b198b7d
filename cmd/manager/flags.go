// SPDX-License-Identifier: Apache-2.0

package main

import (
	"flag"
	"fmt"
	"os"
	"strings"

	"go.uber.org/zap/zapcore"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/controller-runtime/pkg/client/config"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
)

// options are the validated flags.
type options struct {
	log zap.Options
	// version is set if only the version is to be printed.
	version bool

	metricsAddress, probeAddress string
	metricsSecure                bool
	metricsCertDir               string
	pprofAddress                 string

	leaderElect             bool
	leaderElectionNamespace string

	namespaces  []string
	selector    labels.Selector
	concurrency int

	allowedHosts    egress.Hosts
	allowedMetadata []string
	rolloutRestart  bool
	podRefresh      bool
	tokenHostsOnly  egress.Hosts
	addresses       egress.Policy
	caFile          string
	limits          egress.Limits
}

// parseFlags parses the command line. Errors name the flag and its syntax.
func parseFlags(args []string) (*options, error) {
	opts := &options{}
	flags := flag.NewFlagSet("manager", flag.ContinueOnError)
	flags.SetOutput(os.Stderr)
	config.RegisterFlags(flags)
	opts.log.BindFlags(flags)

	flags.BoolVar(&opts.version, "version", false, "Print the version and exit.")
	flags.StringVar(&opts.metricsAddress, "metrics-bind-address", ":8443", "Address of the metrics endpoint; 0 turns it off.")
	flags.BoolVar(&opts.metricsSecure, "metrics-secure", true, "Serve metrics over HTTPS, to clients that the API server authorizes.")
	flags.StringVar(&opts.metricsCertDir, "metrics-cert-path", "", "Directory with tls.crt and tls.key for the metrics endpoint; empty means a self-signed certificate.")
	flags.StringVar(&opts.probeAddress, "health-probe-bind-address", ":8081", "Address of /healthz and /readyz; 0 turns them off.")
	flags.StringVar(&opts.pprofAddress, "pprof-bind-address", "", "Address of the profiling endpoint, which is not authenticated; empty turns it off.")
	flags.BoolVar(&opts.leaderElect, "leader-elect", false, "Elect a leader, so that only one of several replicas is active.")
	flags.StringVar(&opts.leaderElectionNamespace, "leader-election-namespace", os.Getenv("POD_NAMESPACE"),
		"Namespace of the leader election's Lease; empty means $POD_NAMESPACE, or the pod's own.")
	flags.IntVar(&opts.concurrency, "max-concurrent-reconciles", 32, "Maximum number of objects that are reconciled at the same time.")
	flags.BoolVar(&opts.rolloutRestart, "enable-rollout-restart", false,
		"Restart the workloads of spec.rolloutRestart when the target's data has changed; needs the role in config/rollout-restart.")
	flags.BoolVar(&opts.podRefresh, "enable-pod-refresh", false,
		"Make pods see a new token at once if spec.target.refreshPods asks for it; needs the role and the policy in config/pod-refresh.")
	flags.Float64Var(&opts.limits.QPS, "token-endpoint-qps", 20, "Maximum number of exchanges per second at one endpoint.")
	flags.IntVar(&opts.limits.HostInFlight, "token-endpoint-in-flight", 8, "Maximum number of concurrent exchanges at one endpoint.")
	namespaces := flags.String("watch-namespaces", "", "Namespaces to watch, separated by commas; empty means all.")
	selector := flags.String("watch-selector", "", "Label selector of the CDPCredentials to reconcile; empty means all.")
	hosts := flags.String("allowed-token-hosts", "",
		"Hosts to which every client Secret may be sent, separated by commas; the grammar is that of the annotation cdpcredentials.io/allowed-hosts.")
	cidrs := flags.String("allowed-cidrs", "", "Address ranges that are allowed although they are not public, separated by commas, for example 10.1.2.0/24.")
	denied := flags.String("denied-cidrs", "", "Address ranges that are refused although they are public, separated by commas, for example those of nodes. Wins over --allowed-cidrs.")
	only := flags.String("token-hosts-only", "",
		"The only hosts to which client Secrets and tokens may be sent, whatever a Secret consents to, in the grammar of --allowed-token-hosts; empty means every host with consent.")
	flags.StringVar(&opts.caFile, "ca-file", "", "PEM file with certificates to trust in addition to the system's roots, for endpoints and proxies; read again when it changes.")
	metadata := flags.String("allowed-target-metadata", "",
		"Keys of labels and annotations, or their prefixes, that targets may have in addition to the harmless ones, separated by commas. They can make other controllers act.")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if rest := flags.Args(); len(rest) > 0 {
		return nil, fmt.Errorf("unknown argument %q: flags begin with --", rest[0])
	}
	opts.limits.Workers = opts.concurrency
	opts.tameDevelopment()
	opts.tameVerbosity()
	opts.allowedMetadata = list(*metadata)
	if err := opts.checkEgress(*hosts, *only, *cidrs, *denied); err != nil {
		return opts, err
	}
	return opts, opts.check(*namespaces, *selector)
}

// checkEgress parses the flags about where we may connect.
func (o *options) checkEgress(hosts, only, allowed, denied string) error {
	var err error
	if o.allowedHosts, err = egress.ParseHosts(hosts); err != nil {
		return fmt.Errorf("--allowed-token-hosts: %w", err)
	}
	if o.tokenHostsOnly, err = egress.ParseHosts(only); err != nil {
		return fmt.Errorf("--token-hosts-only: %w", err)
	}
	if o.addresses.Allowed, err = egress.ParsePrefixes(allowed); err != nil {
		return fmt.Errorf("--allowed-cidrs: %w", err)
	}
	if o.addresses.Denied, err = egress.ParsePrefixes(denied); err != nil {
		return fmt.Errorf("--denied-cidrs: %w", err)
	}
	return nil
}

func (o *options) check(namespaces, selector string) error {
	for _, name := range list(namespaces) {
		if wrong := validation.IsDNS1123Label(name); len(wrong) > 0 {
			return fmt.Errorf("--watch-namespaces: %q is no namespace: %s", name, wrong[0])
		}
		o.namespaces = append(o.namespaces, name)
	}
	var err error
	if o.selector, err = labels.Parse(selector); err != nil {
		return fmt.Errorf("--watch-selector: %w; write for example shard=a or team in (etl,web)", err)
	}
	switch {
	case o.concurrency < 1:
		return fmt.Errorf("--max-concurrent-reconciles must be at least 1, not %d", o.concurrency)
	case !(o.limits.QPS > 0):
		return fmt.Errorf("--token-endpoint-qps must be above 0, not %v", o.limits.QPS)
	case o.limits.HostInFlight < 1:
		return fmt.Errorf("--token-endpoint-in-flight must be at least 1, not %d", o.limits.HostInFlight)
	}
	return nil
}

// tameDevelopment gives --zap-devel everything that it promises except the encoder: controller-runtime's encoder for development prints whole
// objects, and a logged Secret is a leaked Secret.
func (o *options) tameDevelopment() {
	if !o.log.Development {
		return
	}
	o.log.Development = false
	if o.log.Encoder == nil && o.log.NewEncoder == nil {
		zap.ConsoleEncoder()(&o.log)
	}
	if o.log.Level == nil {
		o.log.Level = zapcore.DebugLevel
	}
	if o.log.StacktraceLevel == nil {
		o.log.StacktraceLevel = zapcore.WarnLevel
	}
}

// mostVerbose is the highest verbosity at which client-go does not log the bodies of requests, which contain tokens.
const mostVerbose = zapcore.Level(-6)

// tameVerbosity keeps --zap-log-level below the level at which Secrets would be logged.
func (o *options) tameVerbosity() {
	if o.log.Level != nil && o.log.Level.Enabled(mostVerbose-1) {
		o.log.Level = mostVerbose
	}
}

// list splits a text at commas and drops empty items.
func list(text string) []string {
	var items []string
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}
