// SPDX-License-Identifier: Apache-2.0

package trial

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/test/framework"
)

// outages stop the API server and start it again.
type outages struct {
	cluster *framework.Cluster
	plan    []episode // without a kind

	mu       sync.Mutex
	down     []blockage
	problems []string
}

func newOutages(o Options, cluster *framework.Cluster) *outages {
	chance := o.chance(forOutages)
	outs := &outages{cluster: cluster}
	n := max(1, int(o.Duration/(2*time.Minute)))
	for i := range n {
		middle := o.Duration * time.Duration(2*i+1) / time.Duration(2*n)
		from := middle + between(chance, -o.Duration/time.Duration(5*n), o.Duration/time.Duration(5*n))
		outs.plan = append(outs.plan, episode{from: from, to: from + between(chance, 0, 3*time.Second)})
	}
	return outs
}

// play executes the plan until ctx ends. The API server runs afterwards, whatever happens.
func (o *outages) play(ctx context.Context, began time.Time) {
	for _, e := range o.plan {
		pause(ctx, time.Until(began.Add(e.from)))
		if ctx.Err() != nil {
			return
		}
		from := time.Now()
		err := o.cluster.StopAPIServer()
		pause(ctx, e.to-e.from)
		if err == nil {
			err = o.cluster.StartAPIServer()
		}
		o.mu.Lock()
		o.down = append(o.down, blockage{from, time.Now(), "API server down"})
		if err != nil {
			o.problems = append(o.problems, fmt.Sprintf("restart of the API server: %v", err))
		}
		o.mu.Unlock()
	}
}
