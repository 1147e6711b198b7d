package egress

import "time"

const (
	minWait = 5 * time.Millisecond
	// maxWait bounds what an estimate that has become wrong can cost. The queue of ten thousand objects takes more than
	// eight minutes at the default rate; a shorter bound would only have them ask more often.
	maxWait = 3 * time.Minute
	// longestOfLast is the longest wait of an object whose token has little time left.
	longestOfLast = 30 * time.Second
	// frontWait is for those who are next as soon as a call ends, which nobody can foretell.
	frontWait = time.Second

	assumedDuration = 200 * time.Millisecond
)

// pace is how long calls take, on average of the latest ones. The zero value assumes a healthy endpoint.
type pace struct{ average time.Duration }

func (p *pace) observe(took time.Duration) {
	took = max(took, 0)
	if p.average == 0 {
		p.average = max(took, 1)
		return
	}
	p.average = max(p.average+(took-p.average)/5, 1)
}

// wait is how long it takes until the waiter at that place has one of the slots. Those in front of the others ask often
// enough that no slot stays empty for long and nobody can take it before them.
func (p *pace) wait(place, slots int) time.Duration {
	average := p.average
	if average == 0 {
		average = assumedDuration
	}
	wait := average * time.Duration(place+1) / time.Duration(slots)
	if place < slots {
		wait = min(wait, frontWait)
	}
	return wait
}

// bounded keeps a wait within bounds. A longer one is cut into equal steps, so that those who have far to go do not come
// back all at once; an object whose token runs out takes shorter steps, in case the queue before it vanishes.
func bounded(wait, left time.Duration) time.Duration {
	longest := maxWait
	if left > 0 {
		longest = min(maxWait, max(left/4, longestOfLast))
	}
	if wait > longest {
		steps := (wait + longest - 1) / longest
		wait /= steps
	}
	return max(wait, minWait)
}

// seconds is a duration that no rate, however small, makes overflow.
func seconds(s float64) time.Duration {
	return time.Duration(min(max(s, 0), 1e6) * float64(time.Second))
}
