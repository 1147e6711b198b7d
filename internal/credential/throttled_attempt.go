// SPDX-License-Identifier: Apache-2.0

package credential

// A ThrottledAttempt is the fingerprint of what the object asked for, that of what was sent, under the process's own salt, and what is reported of it.
type ThrottledAttempt struct {
	Asked   string
	Request string
	Failure Failure
}

// stillThrottled returns what was reported of the last attempt that was answered with 429, while its time has not come and the same would be sent: in
// status something that was in the way meanwhile may have taken its place. Nil: there is no such attempt.
func stillThrottled(s *State) (*Failure, Need) {
	last := s.Throttled
	if last == nil || last.Asked != s.Desired.SpecHash || Insists(s) || !s.Now.Before(last.Failure.RetryAt) {
		return nil, NeedNothing
	}
	if s.Client.Content == nil {
		return nil, NeedClient
	}
	req, f := liveRequest(s)
	if f != nil {
		return f, NeedNothing
	}
	if req.Fingerprint(s.Salt) != last.Request {
		return nil, NeedNothing
	}
	again := last.Failure
	return &again, NeedNothing
}
