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

// A crew is the operator's processes: one without leader election, or two with it. Like a Deployment, it starts again what has ended.
type crew struct {
	binary, kubeconfig, logs string

	mu       sync.Mutex
	paired   bool
	replicas []*replica
	started  int
	counts   map[string]int
	ends     []end
	// idle are the times in which no operator ran. idleFrom is when the present one began; zero: one runs.
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
	// doomed says that it was killed or is to end; working that it is the one that does the work.
	doomed, working bool
}

// What is done to replicas.
const (
	kills     = "kill"
	shutdowns = "shutdown"
	deaths    = "end by itself"
)

func newCrew(binary, kubeconfig, logs string) *crew {
	return &crew{binary: binary, kubeconfig: kubeconfig, logs: logs, counts: map[string]int{}, idleFrom: time.Now()}
}

// launch starts one more process.
func (c *crew) launch(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.started++
	flags := []string{"--allowed-cidrs=127.0.0.0/8", "--zap-log-level=info"}
	if c.paired {
		flags = append(flags, "--leader-elect", "--leader-election-namespace="+framework.SystemNamespace)
	}
	m, err := framework.LaunchManager(ctx, c.binary, c.kubeconfig, filepath.Join(c.logs, fmt.Sprintf("manager-%03d.log", c.started)), flags...)
	if err != nil {
		return err
	}
	c.replicas = append(c.replicas, &replica{Manager: m, number: c.started, startedAt: time.Now()})
	return nil
}

// kill ends a replica with SIGKILL.
func (c *crew) kill(r *replica) error {
	c.doom(r, kills)
	return r.Kill()
}

// shutDown ends a replica in good order.
func (c *crew) shutDown(r *replica) error {
	c.doom(r, shutdowns)
	err := r.Stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ends = append(c.ends, end{time.Now(), shutdowns})
	return err
}

func (c *crew) doom(r *replica, how string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r.doomed = true
	c.counts[how]++
	c.ends = append(c.ends, end{time.Now(), how})
	c.left(r, time.Now())
}

// left says that a replica does no more work. The lock is held.
func (c *crew) left(r *replica, now time.Time) {
	c.replicas = slices.DeleteFunc(c.replicas, func(other *replica) bool { return other == r })
	if r.working {
		r.working = false
		c.idleFrom = now
	}
}

// works says that a replica has taken up the work.
func (c *crew) works(r *replica, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.doomed || r.working {
		return
	}
	r.working = true
	if !c.idleFrom.IsZero() {
		c.idle = append(c.idle, blockage{c.idleFrom, now, "no operator"})
		c.idleFrom = time.Time{}
	}
}

// present are the replicas that have not been doomed.
func (c *crew) present() []*replica {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.replicas)
}

// worker is the replica that does the work; nil: none does.
func (c *crew) worker() *replica {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.replicas {
		if r.working {
			return r
		}
	}
	return nil
}

// watch finds out who does the work, and takes note of those that ended by themselves, until ctx ends.
func (c *crew) watch(ctx context.Context) {
	for ctx.Err() == nil {
		pause(ctx, 100*time.Millisecond)
		working := c.worker() != nil
		for _, r := range c.present() {
			select {
			case <-r.Ended():
				c.died(ctx, r)
				continue
			default:
			}
			if !working && c.takesUp(ctx, r) {
				c.works(r, time.Now())
			}
		}
	}
}

// died is about a process that ended by itself: it is started again, as a kubelet would. One that loses its Lease does that on purpose.
func (c *crew) died(ctx context.Context, r *replica) {
	c.mu.Lock()
	known := r.doomed
	c.mu.Unlock()
	if known {
		return
	}
	c.doom(r, deaths)
	pause(ctx, 2*time.Second)
	if ctx.Err() != nil {
		return
	}
	if err := c.launch(ctx); err != nil {
		c.problem("start a replica again: %v", err)
	}
}

func (c *crew) takesUp(ctx context.Context, r *replica) bool {
	page, err := fetch(ctx, r.Metrics)
	if err != nil {
		return false
	}
	if !c.isPaired() {
		_, counted := page.value("workqueue_unfinished_work_seconds{") // there once the controller has started
		return counted
	}
	leads, _ := page.value(`leader_election_master_status{`)
	return leads == 1
}

func (c *crew) isPaired() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.paired
}

// become stops all replicas in good order, and starts one, or two with leader election.
func (c *crew) become(ctx context.Context, paired bool) error {
	if err := c.stopAll(); err != nil {
		return err
	}
	c.mu.Lock()
	c.paired = paired
	c.mu.Unlock()
	if err := c.launch(ctx); err != nil || !paired {
		return err
	}
	return c.launch(ctx)
}

func (c *crew) stopAll() error {
	var errs []error
	for _, r := range c.present() {
		errs = append(errs, c.shutDown(r))
	}
	return errors.Join(errs...)
}

func (c *crew) problem(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.problems = append(c.problems, fmt.Sprintf(format, args...))
}
