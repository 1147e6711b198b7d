// SPDX-License-Identifier: Apache-2.0

package trial

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/test/framework"
)

// Run runs and judges a soak. The report is nil if the run could not be completed; otherwise its Violations are what went wrong. Everything that was
// started is stopped, whatever happens.
func Run(ctx context.Context, o Options) (report *Report, err error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	later := func(tidy func() error) { err = errors.Join(err, tidy()) }
	o.say("seed %d: %d credentials, %s", o.Seed, o.Credentials, o.Duration)

	assets, err := framework.Assets(ctx, o.Root)
	if err != nil {
		return nil, err
	}
	binary, err := framework.BuildManager(ctx, o.Root, o.Temp)
	if err != nil {
		return nil, err
	}
	sites, stopSites, err := newSites(o)
	defer later(stopSites)
	if err != nil {
		return nil, err
	}
	cluster, stopCluster, err := framework.Start(ctx, framework.Cluster{Root: o.Root, Temp: o.Temp, Assets: assets, StopTimeout: time.Second}, "default")
	defer later(stopCluster)
	if err != nil {
		return nil, err
	}
	kubeconfig, err := cluster.ManagerKubeconfig(ctx)
	if err != nil {
		return nil, err
	}
	logs := filepath.Join(o.Temp, "logs")
	if err := os.Mkdir(logs, 0o700); err != nil {
		return nil, err
	}
	p := &play{Options: o, cluster: cluster, admin: cluster.Client, sites: sites, replicas: newReplicas(binary, kubeconfig, logs)}
	defer later(p.replicas.stopAll)
	return p.run(ctx)
}

// A play is a run in progress.
type play struct {
	Options
	cluster *framework.Cluster
	admin   client.Client
	sites   []*site

	members, envious []*member
	foreign          *foreigners
	watcher          *secretWatcher
	consumer         *consumer
	apiClient        *apiClient
	agreement        *agreement
	replicas         *replicas
	outages          *outages
	users            *users
}

func (p *play) run(ctx context.Context) (*Report, error) {
	if err := p.setUp(ctx); err != nil {
		return nil, err
	}
	watching, stopWatching := context.WithCancel(ctx)
	defer stopWatching()
	var watchers sync.WaitGroup
	defer watchers.Wait()
	defer stopWatching()
	watchers.Go(func() { p.replicas.watch(watching) })
	if err := p.replicas.become(ctx, false); err != nil {
		return nil, err
	}
	if wrong := settle(ctx, p.admin, p.members, 2*time.Minute, p.say); len(wrong) > 0 {
		return nil, fmt.Errorf("%d objects did not become Ready before any fault was injected, the first of them: %s", len(wrong), wrong[0])
	}
	watchers.Go(func() { p.watcher.watch(watching) })
	if err := p.sees(ctx); err != nil {
		return nil, err
	}
	watchers.Go(func() { p.consumer.watch(watching) })
	watchers.Go(func() {
		p.apiClient.ask(watching, max(12*time.Millisecond, min(100*time.Millisecond, 2*time.Second/time.Duration(len(p.members)))))
	})
	watchers.Go(func() { p.agreement.watch(watching) })
	watchers.Go(func() { p.agreement.compare(watching) })
	watchers.Go(func() { p.replicas.measure(watching, time.Second) })

	began := time.Now()
	p.misbehave(ctx, began)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	over := time.Now()
	p.say("faults have ended; waiting until every object has recovered")
	wrong := settle(ctx, p.admin, p.members, patience, p.say)
	settled := time.Since(over)
	if len(wrong) == 0 {
		pause(ctx, 2*time.Second) // for the consumer to see it, and for anything unwanted to show
	}
	p.foreign.check(ctx)
	away := turnedAway(ctx, p.admin, p.envious)
	over = time.Now()
	stopWatching()
	watchers.Wait()
	err := p.replicas.stopAll()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	r := p.judge(over)
	r.Duration, r.SettledIn = seconds(p.Duration), seconds(settled)
	r.Violations = append(append(r.Violations, wrong...), away...)
	return r, err
}

// setUp creates all objects.
func (p *play) setUp(ctx context.Context) error {
	clientset, err := kubernetes.NewForConfig(p.cluster.Config)
	if err != nil {
		return err
	}
	if p.members, err = fleet(p.chance(forFleet), p.Credentials, p.sites); err != nil {
		return err
	}
	p.foreign = &foreigners{admin: p.admin}
	p.envious = p.foreign.envious(p.members)
	for _, name := range namespaces() {
		namespace := &corev1.Namespace{}
		namespace.Name = name
		if err := p.admin.Create(ctx, namespace); err != nil {
			return fmt.Errorf("create a namespace: %w", err)
		}
	}
	if err := p.foreign.settleAll(ctx); err != nil {
		return fmt.Errorf("create foreign Secrets: %w", err)
	}
	for _, m := range append(slices.Clip(p.members), p.envious...) {
		if err := errors.Join(p.admin.Create(ctx, m.secret()), p.admin.Create(ctx, m.object())); err != nil {
			return fmt.Errorf("create %s: %w", m, err)
		}
	}
	p.watcher = newSecretWatcher(clientset)
	p.consumer = newConsumer(p.watcher, p.members)
	p.apiClient = newAPIClient(p.watcher, p.admin, p.members)
	watching, err := client.NewWithWatch(p.cluster.Config, client.Options{Scheme: p.cluster.Scheme})
	if err != nil {
		return err
	}
	p.agreement = newAgreement(p.watcher, p.consumer, watching, p.members)
	p.users = newUsers(p.Options, p.admin, p.consumer, p.foreign, p.members)
	p.outages = newOutages(p.Options, p.cluster)
	return nil
}

// sees returns once the watcher has seen every target.
func (p *play) sees(ctx context.Context) error {
	for _, m := range p.members {
		for p.watcher.secret(m.namespace, m.target()) == nil {
			if pause(ctx, 20*time.Millisecond); ctx.Err() != nil {
				return context.Cause(ctx)
			}
		}
	}
	return nil
}

// misbehave injects all faults. When it returns, they have ended: the API server and one replica run.
func (p *play) misbehave(ctx context.Context, began time.Time) {
	var players sync.WaitGroup
	for _, s := range p.sites {
		s.faultSchedule.begin(began)
	}
	players.Go(func() { p.users.act(ctx, began) })
	players.Go(func() { p.outages.play(ctx, began) })
	players.Go(func() { p.replicas.drive(ctx, began, replicaPlan(p.Options)) })
	next := 15 * time.Second
	for time.Since(began) < p.Duration && ctx.Err() == nil {
		pause(ctx, 250*time.Millisecond)
		since := time.Since(began)
		for _, s := range p.sites {
			s.faultSchedule.turn(since)
		}
		if since > next {
			p.progress(since)
			next += 15 * time.Second
		}
	}
	for _, s := range p.sites {
		s.faultSchedule.end()
	}
	players.Wait()
}

func (p *play) progress(since time.Duration) {
	issued := 0
	for _, s := range p.sites {
		issued += s.server.Stats().TotalIssued()
	}
	p.consumer.mu.Lock()
	bad, broken := len(p.consumer.open), len(p.consumer.broken)
	p.consumer.mu.Unlock()
	p.replicas.mu.Lock()
	killed := p.replicas.counts[kills]
	p.replicas.mu.Unlock()
	p.outages.mu.Lock()
	down := len(p.outages.down)
	p.outages.mu.Unlock()
	p.say("%4.0f s: %d tokens, %d kills, %d API server restarts; now %d targets bad, %d broken by users", since.Seconds(), issued, killed, down, bad, broken)
}

func (o Options) say(format string, args ...any) {
	_, _ = fmt.Fprintf(o.Progress, "soak: "+format+"\n", args...)
}

// judge makes the report.
func (p *play) judge(over time.Time) *Report {
	r := &Report{
		Seed: p.Seed, Credentials: len(p.members), Violations: []string{},
		Looks: p.consumer.reads, SlowestLook: seconds(p.consumer.slowest), Calls: p.apiClient.calls, LiveReads: p.apiClient.live,
		Deeds: p.users.done, DeedsNot: p.users.skipped, Replicas: p.replicas.counts,
		APIRestarts: len(p.outages.down), APIDown: lengths(p.outages.down), Idle: lengths(p.replicas.idle),
		Stalls: append(lengths(p.consumer.stalls), lengths(p.apiClient.slow)...), Growth: growthOf(p.replicas.samples), Marathon: growthOf(longest(p.replicas.samples)), ForeignLeft: len(p.foreign.settled),
	}
	e := &evidence{watcher: p.watcher, consumer: p.consumer, apiClient: p.apiClient, agreement: p.agreement, replicas: p.replicas, outages: p.outages, users: p.users}
	e.gather(p.sites)
	e.judgeGaps(r)
	e.judgeRepairs(r)
	e.judgeDisputes(r)
	e.judgeExchanges(r, p.members, over)
	e.judgeRequests(r, p.sites)
	for _, changed := range p.foreign.changed {
		r.violation("a foreign Secret: %s", changed)
	}
	for _, list := range [][]string{p.apiClient.problems, p.replicas.problems, p.outages.problems} {
		r.Violations = append(r.Violations, list...)
	}
	if !r.Growth.flat() {
		r.violation("the manager grew over the run: %+v", r.Growth)
	}
	if !r.Marathon.flat() {
		r.violation("one process of the manager grew: %+v", r.Marathon)
	}
	if err := e.writeTrace(filepath.Join(p.replicas.logs, "trace.txt"), p.members); err != nil {
		r.violation("write the trace: %v", err)
	}
	return r
}
