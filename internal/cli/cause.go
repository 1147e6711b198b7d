// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// Whose turn it is.
const (
	turnNobody        = "nobody"
	turnOperator      = "operator"
	turnAuthor        = "author"
	turnSecretOwner   = "secretOwner"
	turnAdministrator = "administrator"
	turnVendor        = "vendor"
)

// turnNames are what tables say.
var turnNames = map[string]string{
	turnNobody: "nobody", turnOperator: "operator", turnAuthor: "author", turnSecretOwner: "Secret's owner", turnAdministrator: "administrator", turnVendor: "vendor",
}

// A cause is what a reason means to a person on call, in few words. {secret}, {target}, {name}, {host} and {verify} stand for the object's own.
type cause struct {
	// why is short. Empty: the first clause of the operator's message says it better.
	why string
	// turn and next say who does what now, and command how.
	turn, next, command string
}

var causes = map[string]cause{
	v1alpha1.ReasonTokenIssued: {why: "nothing is wrong, the token works", turn: turnOperator, next: "renews the token"},
	v1alpha1.ReasonSuspended: {
		why: "spec.suspend is true, so nothing is renewed", turn: turnAuthor, next: "when the reason for it is gone", command: "kubectl cdpcred resume {name}",
	},
	v1alpha1.ReasonNoToken: {why: "Secret {target} holds no token from the operator", turn: turnOperator, next: "gets a new token"},
	v1alpha1.ReasonTokenExpired: {
		why: "the token in Secret {target} has expired", turn: turnOperator, next: "gets a new token; if it lasts, see what holds it up with check", command: "kubectl cdpcred check",
	},

	v1alpha1.ReasonSecretNotFound: {why: "there is no Secret {secret} in this namespace", turn: turnSecretOwner, next: "create Secret {secret} with the keys that the message names"},
	v1alpha1.ReasonSecretKeyMissing: {
		why: "a key of Secret {secret} is missing or empty", turn: turnSecretOwner, next: "add the key that the message names",
	},
	v1alpha1.ReasonSecretKeyInvalid: {
		why: "a value of Secret {secret} cannot be used", turn: turnSecretOwner, next: "correct the key that the message names",
	},
	v1alpha1.ReasonInvalidSpec:     {why: "the object asks for what cannot be done", turn: turnAuthor, next: "change the field that the message names"},
	v1alpha1.ReasonInvalidTemplate: {why: "a template in spec.target.data is wrong", turn: turnAuthor, next: "change the template, and try it offline with", command: "kubectl cdpcred render -f FILE"},
	v1alpha1.ReasonHostNotAllowed: {
		why: "Secret {secret} may not go to {host}", turn: turnSecretOwner, next: "if that host is right, allow it", command: "kubectl cdpcred allow {name} --host {host}",
	},
	v1alpha1.ReasonCANotAllowed:     {why: "Secret {secret} does not trust the CA of spec.tls.caBundle", turn: turnSecretOwner, next: "if that CA is right, allow it as the message says"},
	v1alpha1.ReasonSecretNotAllowed: {why: "Secret {secret} may not be used as a client Secret", turn: turnAuthor, next: "name another Secret, or do as the message says"},

	v1alpha1.ReasonTargetNotOwned: {
		why: "Secret {target} belongs to somebody else", turn: turnAuthor, next: "choose another spec.target.name, or hand the Secret over", command: "kubectl cdpcred adopt {name}",
	},
	v1alpha1.ReasonTargetUnusable: {why: "Secret {target} cannot be written", turn: turnAuthor, next: "do as the message says"},
	v1alpha1.ReasonTargetContested: {
		why: "something else keeps changing Secret {target}", turn: turnAuthor, next: "find out who writes it", command: "kubectl get secret -n {namespace} {target} -o yaml --show-managed-fields",
	},
	v1alpha1.ReasonAPIUnavailable: {turn: turnAdministrator, next: "see what is refused, and find out why", command: "kubectl cdpcred check"},

	v1alpha1.ReasonCredentialsRejected: {
		why: "ID, secret or request is refused by {host}", turn: turnSecretOwner, next: "correct Secret {secret}, or the client at the vendor; the change is noticed at once",
	},
	v1alpha1.ReasonBudgetSpent:         {why: "the tokens of spec.refresh.maxPerDay are used up", turn: turnAuthor, next: "wait for the next day (UTC), or raise maxPerDay"},
	v1alpha1.ReasonThrottled:           {turn: turnOperator, next: "asks again when the endpoint allows it"},
	v1alpha1.ReasonEndpointUnavailable: {turn: turnOperator, next: "tries again; if it lasts, see what is in the way with check", command: "kubectl cdpcred check"},
	v1alpha1.ReasonEndpointRefused: {
		why: "no address that may be called: {host}", turn: turnAdministrator, next: "allow its address with --allowed-cidrs, or use a public endpoint",
	},
	v1alpha1.ReasonMalformedResponse: {turn: turnAuthor, next: "check the endpoint's URL; if it is right, ask the vendor"},

	v1alpha1.ReasonTokenRejected:     {why: "the API at {verify} answers 401 to a new token", turn: turnVendor, next: "say whether the client may use this API; check spec.verify.url"},
	v1alpha1.ReasonInsufficientScope: {why: "the API at {verify} answers 403 to the token", turn: turnVendor, next: "give the client the scope; then ask for it in spec.provider"},

	reasonAbsent:   {why: "the operator does not work on this object", turn: turnAdministrator, next: "see whether it runs, and who leads", command: "kubectl cdpcred check"},
	reasonPending:  {why: "the operator has not looked at the last change yet", turn: turnOperator, next: "does so in a moment"},
	reasonDeleting: {turn: turnAuthor, next: "find out who is to remove its finalizers"},
}

// causeOf fills in the names. A reason that this version does not know is explained by the operator's message.
func (r *Report) causeOf(f finding, verifyHost string) cause {
	c, ok := causes[f.reason]
	if !ok {
		c = cause{turn: turnAuthor, next: "do as the message says"}
	}
	host := r.Endpoint
	if f.reason == v1alpha1.ReasonHostNotAllowed && onVerified(r, f) {
		host = verifyHost
	}
	names := strings.NewReplacer("{secret}", r.ClientSecret, "{target}", r.Target, "{name}", r.Name+r.namespaceFlag(), "{host}", host, "{verify}", verifyHost, "{namespace}", r.Namespace)
	if c.why == "" {
		c.why, _, _ = strings.Cut(strings.TrimPrefix(f.message, host+": "), ";")
	}
	c.judgeMessage(f.message)
	c.why, c.next, c.command = names.Replace(c.why), names.Replace(c.next), names.Replace(c.command)
	return c
}

// judgeMessage distinguishes causes that share a reason but are for different people to fix. It relies only on the flags in a message, on what it
// says about proxies and certificates, and on how refusals by the API server begin.
func (c *cause) judgeMessage(message string) {
	if strings.Contains(message, ": the proxy ") {
		c.turn, c.next = turnAdministrator, "correct HTTPS_PROXY or NO_PROXY of its Deployment (check names the proxy), or have the proxy let it through"
	}
	if strings.Contains(message, "certificate is not trusted; put a private CA") {
		c.turn, c.next, c.command = turnSecretOwner, "if the endpoint has a private CA, put it under ca.crt into Secret {secret} (message below); otherwise a proxy may answer in its place", ""
	}
	if strings.Contains(message, "--token-hosts-only") || strings.Contains(message, "--allowed-target-metadata") {
		c.turn, c.next, c.command = turnAdministrator, "allow it with the operator's flag that the message names; or change the object", ""
	}
	refusal, ok := strings.CutPrefix(message, "the API server refuses ")
	if !ok {
		return
	}
	c.turn = turnAdministrator
	if !strings.HasPrefix(refusal, "the write") {
		c.why = "the API server refuses " + strings.TrimPrefix(refusal, "the operator's request ")
		return
	}
	_, answer, _ := strings.Cut(refusal, "(")
	answer, _, _ = strings.Cut(answer, ")")
	status, by, _ := strings.Cut(answer, ", by ")
	if by == "" {
		by = "the API server"
	}
	c.why, c.next = fmt.Sprintf("the write is refused by %s (%s)", by, status), "change the policy, webhook, quota or role that refuses it"
}

// onVerified reports whether a finding is the one of spec.verify.
func onVerified(r *Report, f finding) bool {
	for _, c := range r.Conditions {
		if c.Type == v1alpha1.ConditionVerified && c.Status == "False" && c.Reason == f.reason {
			return true
		}
	}
	return false
}

func (r *Report) namespaceFlag() string { return " -n " + r.Namespace }

// explain fills in why, since when, what next and by whom.
func (r *Report) explain(f finding, obj *v1alpha1.CDPCredential, now time.Time) {
	verifyHost := ""
	if obj.Spec.Verify != nil {
		verifyHost = hostOf(string(obj.Spec.Verify.URL))
	}
	c := r.causeOf(f, verifyHost)
	r.Reason, r.Why, r.Since, r.Message = f.reason, c.why, f.since, f.message
	r.Turn, r.Next, r.Command = c.turn, c.next, c.command
	if next := obj.Status.NextRefreshTime; next != nil && next.After(now) && f.reason != v1alpha1.ReasonSuspended {
		r.NextAttempt = next
	}
	r.Healthy = r.Ready && (f.reason == v1alpha1.ReasonTokenIssued || f.reason == v1alpha1.ReasonSuspended || f.reason == reasonPending)
}
