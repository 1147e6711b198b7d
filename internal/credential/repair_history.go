// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// A RepairHistory is what this process knows of its repairs of a target.
type RepairHistory struct {
	Quick quickRepairs
	// Lost is a repair that may have been made, too. Nil: there is none.
	Lost *unansweredRepair
}

// An unansweredRepair is a repair whose write ended in an error. It may have been made nevertheless.
type unansweredRepair struct {
	Weight  int
	Contest *v1alpha1.Contest
}

// NewUnansweredRepair returns the repair of a plan whose write ended in err. Nil: it was none.
func NewUnansweredRepair(plan Plan, err error) *unansweredRepair {
	if err == nil || plan.Repair == 0 {
		return nil
	}
	return &unansweredRepair{plan.Repair, plan.Contest}
}

// Confirm counts a repair without an answer once the target shows that it was made.
func (h *RepairHistory) Confirm(s *State) {
	lost := h.Lost
	if lost == nil || !s.Target.HasToken() {
		return
	}
	if action, why := due(s); repairWeight(s, action, why) > 0 {
		return // it has yet to be made
	}
	h.Lost = nil
	h.Quick = h.Quick.Plus(lost.Weight, s.Now)
	s.Repairs = h.Quick
	if lost.Contest != nil {
		s.Object.Status.Contest = contestAfter(s, Plan{Contest: lost.Contest, Repair: lost.Weight}, Result{Wrote: true})
	}
}
