// SPDX-License-Identifier: Apache-2.0

package trial

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/test/framework"
)

// replicas are the operator's processes: one without leader election, or two with it. As by a Deployment, they are restarted when they end.
type replicas struct {
	binary, kubeconfig, logs string

	mu       sync.Mutex
	paired   bool
	replicas []*replica
	started  int
	counts   map[string]int
	ends     []end
	// idle are the periods in which no operator ran. idleFrom is when the current one began. Zero: an operator runs.
	idle     []blockage
	idleFrom time.Time
	samples  []sample
	problems []string
}

// A replica is one process.
type replica struct {
	*framework.Manager
	number    int
	startedAt time.Time
	// doomed is set once it was killed or asked to stop; working is set while it is the active one.
	doomed, working bool
}

// What happens to replicas.
const (
	kills     = "kill"
	shutdowns = "shutdown"
	deaths    = "end by itself"
)

func newReplicas(binary, kubeconfig, logs string) *replicas {
	return &replicas{binary: binary, kubeconfig: kubeconfig, logs: logs, counts: map[string]int{}, idleFrom: time.Now()}
}

// launch starts another process.
func (rs *replicas) launch(ctx context.Context) error {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	rs.started++
	flags := []string{"--allowed-cidrs=127.0.0.0/8", "--zap-log-level=info"}
	if rs.paired {
		flags = append(flags, "--leader-elect", "--leader-election-namespace="+framework.SystemNamespace)
	}
	m, err := framework.LaunchManager(ctx, rs.binary, rs.kubeconfig, filepath.Join(rs.logs, fmt.Sprintf("manager-%03d.log", rs.started)), flags...)
	if err != nil {
		return err
	}
	rs.replicas = append(rs.replicas, &replica{Manager: m, number: rs.started, startedAt: time.Now()})
	return nil
}

// kill ends a replica with SIGKILL.
func (rs *replicas) kill(r *replica) error {
	rs.doom(r, kills)
	return r.Kill()
}

// shutDown stops a replica gracefully.
func (rs *replicas) shutDown(r *replica) error {
	rs.doom(r, shutdowns)
	err := r.Stop()
	rs.mu.Lock()
	defer rs.mu.Unlock()
	rs.ends = append(rs.ends, end{time.Now(), shutdowns})
	return err
}

func (rs *replicas) doom(r *replica, how string) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	r.doomed = true
	rs.counts[how]++
	rs.ends = append(rs.ends, end{time.Now(), how})
	rs.left(r, time.Now())
}

// left notes that a replica is no longer active or running. The lock must be held.
func (rs *replicas) left(r *replica, now time.Time) {
	rs.replicas = slices.DeleteFunc(rs.replicas, func(other *replica) bool { return other == r })
	if r.working {
		r.working = false
		rs.idleFrom = now
	}
}

// works notes that a replica has become the active one.
func (rs *replicas) works(r *replica, now time.Time) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if r.doomed || r.working {
		return
	}
	r.working = true
	if !rs.idleFrom.IsZero() {
		rs.idle = append(rs.idle, blockage{rs.idleFrom, now, "no operator"})
		rs.idleFrom = time.Time{}
	}
}

// present returns the replicas that are not doomed.
func (rs *replicas) present() []*replica {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	return slices.Clone(rs.replicas)
}

// worker returns the active replica. Nil: there is none.
func (rs *replicas) worker() *replica {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	for _, r := range rs.replicas {
		if r.working {
			return r
		}
	}
	return nil
}

// watch finds out which replica works, and restarts those that ended by themselves, until ctx ends.
func (rs *replicas) watch(ctx context.Context) {
	for ctx.Err() == nil {
		pause(ctx, 100*time.Millisecond)
		working := rs.worker() != nil
		for _, r := range rs.present() {
			select {
			case <-r.Ended():
				rs.died(ctx, r)
				continue
			default:
			}
			if !working && rs.takesUp(ctx, r) {
				rs.works(r, time.Now())
			}
		}
	}
}

// died restarts a process that ended by itself, as a kubelet would. A process that loses its Lease ends on purpose.
func (rs *replicas) died(ctx context.Context, r *replica) {
	rs.mu.Lock()
	known := r.doomed
	rs.mu.Unlock()
	if known {
		return
	}
	rs.doom(r, deaths)
	pause(ctx, 2*time.Second)
	if ctx.Err() != nil {
		return
	}
	if err := rs.launch(ctx); err != nil {
		rs.problem("restart a replica: %v", err)
	}
}

func (rs *replicas) takesUp(ctx context.Context, r *replica) bool {
	page, err := fetch(ctx, r.Metrics)
	if err != nil {
		return false
	}
	if !rs.isPaired() {
		_, counted := page.value("workqueue_unfinished_work_seconds{") // exists once the controller has started
		return counted
	}
	leads, _ := page.value(`leader_election_master_status{`)
	return leads == 1
}

func (rs *replicas) isPaired() bool {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	return rs.paired
}

// become stops all replicas gracefully, and starts one, or two with leader election.
func (rs *replicas) become(ctx context.Context, paired bool) error {
	if err := rs.stopAll(); err != nil {
		return err
	}
	rs.mu.Lock()
	rs.paired = paired
	rs.mu.Unlock()
	if err := rs.launch(ctx); err != nil || !paired {
		return err
	}
	return rs.launch(ctx)
}

func (rs *replicas) stopAll() error {
	var errs []error
	for _, r := range rs.present() {
		errs = append(errs, rs.shutDown(r))
	}
	return errors.Join(errs...)
}

func (rs *replicas) problem(format string, args ...any) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	rs.problems = append(rs.problems, fmt.Sprintf(format, args...))
}
