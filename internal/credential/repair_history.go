// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// An unansweredRepair is one whose write ended in an error: it may have been made all the same.
type unansweredRepair struct {
	Weight  int
	Contest *v1alpha1.Contest
}

// NewUnansweredRepair is the repair of a step that ended in an error. Nil: there is none.
func NewUnansweredRepair(plan Plan, err error) *unansweredRepair {
	if err == nil || plan.Repair == 0 {
		return nil
	}
	return &unansweredRepair{plan.Repair, plan.Contest}
}

// A RepairHistory is what one process knows of its repairs of a target.
type RepairHistory struct {
	Quick quickRepairs
	// Lost is a repair that may have been made, too. Nil: there is none.
	Lost *unansweredRepair
}

// Confirm counts a repair whose answer was lost, once the target shows that it was made. It has to stay for as long as any other.
func (h *RepairHistory) Confirm(s *State) {
	lost := h.Lost
	if lost == nil || !s.Target.HasToken() {
		return
	}
	do, why := due(s)
	if repairWeight(s, do, why) > 0 {
		return // it is still to be made
	}
	h.Lost = nil
	h.Quick = h.Quick.Plus(lost.Weight, s.Now)
	s.Repairs = h.Quick
	if lost.Contest != nil {
		s.Object.Status.Contest = contestAfter(s, Plan{Contest: lost.Contest, Repair: lost.Weight}, Result{Wrote: true})
	}
}
