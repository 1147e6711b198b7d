// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
	"github.com/cdpcredentials/cdp-credential-operator/internal/flow"
)

// An observation is what was read of one object and of what is around it. No Secret is among it.
type observation struct {
	object *v1alpha1.CDPCredential
	pods   []corev1.Pod
	events []eventsv1.Event
	// hidden says what could not be read, and why.
	hidden []string
}

// A Report is what `status` says of one object. Its JSON is an interface (docs/cli.md).
type Report struct {
	Namespace    string `json:"namespace"`
	Name         string `json:"name"`
	Provider     string `json:"provider,omitempty"`
	Endpoint     string `json:"endpoint,omitempty"`
	ClientSecret string `json:"clientSecret"`
	Target       string `json:"target"`

	// Ready reports whether pods have a token that has not expired. Healthy: nobody has to look at the object.
	Ready   bool `json:"ready"`
	Healthy bool `json:"healthy"`
	// Reason is a condition's, or one of Deleting, OperatorAbsent and Pending.
	Reason string `json:"reason"`
	Why    string `json:"why"`
	// Since is when that began, as far as it is known.
	Since *metav1.Time `json:"since,omitempty"`
	// Turn is whose turn it is: operator, author (of the object), secretOwner, administrator, vendor or nobody. Next is what they do.
	Turn    string `json:"turn"`
	Next    string `json:"next"`
	Command string `json:"command,omitempty"`
	// NextAttempt is when the operator acts by itself. Empty: only a change helps.
	NextAttempt *metav1.Time `json:"nextAttempt,omitempty"`
	// Message is the operator's own, whole.
	Message string `json:"message,omitempty"`

	Token      *Timeline   `json:"token,omitempty"`
	Conditions []Condition `json:"conditions,omitempty"`
	Failures   int32       `json:"failures,omitempty"`
	Mode       string      `json:"issuanceMode,omitempty"`
	Budget     *Budget     `json:"budget,omitempty"`
	Restarts   []Restart   `json:"restarts,omitempty"`
	Pods       []PodUse    `json:"pods,omitempty"`
	// PodRefresh is what came of spec.target.refreshPods at the last write.
	PodRefresh *PodRefresh `json:"podRefresh,omitempty"`
	Events     []Event     `json:"events,omitempty"`
	// Hidden says what could not be read.
	Hidden []string `json:"hidden,omitempty"`
}

// A Condition is one of status, without its message.
type Condition struct {
	Type   string      `json:"type"`
	Status string      `json:"status"`
	Reason string      `json:"reason"`
	Since  metav1.Time `json:"since"`
}

// Budget is spec.refresh.maxPerDay and what is spent of it.
type Budget struct {
	Issued int32 `json:"issued"`
	Max    int32 `json:"max"`
}

// A Restart is the state of one workload of spec.rolloutRestart.
type Restart struct {
	Workload string       `json:"workload"`
	Last     *metav1.Time `json:"last,omitempty"`
	Pending  bool         `json:"pending,omitempty"`
	Reason   string       `json:"reason,omitempty"`
	Message  string       `json:"message,omitempty"`
}

// PodRefresh says how many of the pods that mount the target were told of the last write.
type PodRefresh struct {
	Mounting  int32  `json:"mounting"`
	Refreshed int32  `json:"refreshed"`
	Reason    string `json:"reason,omitempty"`
	Message   string `json:"message,omitempty"`
}

// reportOf is pure.
func reportOf(o observation, now time.Time) Report {
	obj := o.object
	r := Report{
		Namespace: obj.Namespace, Name: obj.Name, Provider: obj.Status.Provider, Endpoint: endpointOf(obj),
		ClientSecret: obj.Spec.ClientSecretRef.Name, Target: targetOf(obj),
		Ready:    isReady(obj, now),
		Token:    timelineOf(obj),
		Failures: obj.Status.Failures, Mode: string(obj.Status.IssuanceMode), Budget: budgetOf(obj, now),
		Pods: podUses(obj, o.pods), Events: recentEvents(obj, o.events), Hidden: o.hidden,
	}
	for _, c := range obj.Status.Conditions {
		r.Conditions = append(r.Conditions, Condition{Type: c.Type, Status: string(c.Status), Reason: c.Reason, Since: c.LastTransitionTime})
	}
	if told := obj.Status.Pods; told != nil {
		r.PodRefresh = &PodRefresh{Mounting: told.Mounting, Refreshed: told.Refreshed, Reason: told.Reason, Message: plain(told.Message)}
	}
	for _, w := range obj.Status.RolloutRestart {
		r.Restarts = append(r.Restarts, Restart{
			Workload: string(w.Kind) + "/" + w.Name, Last: w.LastRestartTime, Pending: w.Pending, Reason: w.Reason, Message: plain(w.Message),
		})
	}
	r.explain(findingOf(obj, now), obj, now)
	return r
}

func isReady(obj *v1alpha1.CDPCredential, now time.Time) bool {
	expires := obj.Status.TokenExpirationTime
	return meta.IsStatusConditionTrue(obj.Status.Conditions, v1alpha1.ConditionReady) && (expires == nil || now.Before(expires.Time))
}

// endpointOf is host:port without the port of https. Empty: nothing is exchanged, or the spec is not one that this version can read.
func endpointOf(obj *v1alpha1.CDPCredential) string {
	f, err := flow.Of(&obj.Spec.Provider, obj.Spec.ClientSecretRef.Keys)
	if err != nil || f.Address == "" {
		return ""
	}
	return hostOf(f.Address)
}

func hostOf(address string) string {
	endpoint, err := egress.EndpointOf(address)
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(endpoint.String(), ":443")
}

// targetOf is the Secret that pods read now.
func targetOf(obj *v1alpha1.CDPCredential) string {
	if obj.Status.TargetName != "" {
		return obj.Status.TargetName
	}
	return obj.Spec.Target.Name
}

func budgetOf(obj *v1alpha1.CDPCredential, now time.Time) *Budget {
	if obj.Spec.Refresh == nil || obj.Spec.Refresh.MaxPerDay == nil {
		return nil
	}
	b := &Budget{Max: *obj.Spec.Refresh.MaxPerDay}
	if issued := obj.Status.Issuance; issued != nil && issued.Day == now.UTC().Format(time.DateOnly) {
		b.Issued = issued.Count
	}
	return b
}
