// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"fmt"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// A pairAction happens in both worlds of a pair, with the same random numbers. It is an action of the observer, who may write CDPCredentials, of a
// user who may write Secrets, or an external event.
type pairAction struct {
	name string
	do   func(w *pairWorld, o *object)
}

// changing returns an action that changes the spec of an existing object, as far as the schema allows it.
func changing(name string, change func(w *pairWorld, s *v1alpha1.CDPCredentialSpec)) pairAction {
	return pairAction{name, func(w *pairWorld, o *object) {
		if o.get() == nil {
			return
		}
		spec := o.get().DeepCopy().Spec
		change(w, &spec)
		if keys := spec.ClientSecretRef.Keys; keys != nil && spec.Provider.Adobe != nil {
			keys.PrivateKey = "" // Adobe accepts RSA keys only
		}
		o.editIfThere(func(s *v1alpha1.CDPCredentialSpec) { *s = spec })
	}}
}

// owning returns an action of a user who may write the object's client Secret, which may be another object's target.
func owning(name string, edit func(w *pairWorld, s *corev1.Secret)) pairAction {
	return pairAction{name, func(w *pairWorld, o *object) {
		if o.get() != nil {
			w.editIfThere(o.secret(o.get().Spec.ClientSecretRef.Name), func(s *corev1.Secret) { edit(w, s) })
		}
	}}
}

var switchSecret = changing("takes another client Secret for", func(w *pairWorld, s *v1alpha1.CDPCredentialSpec) {
	s.ClientSecretRef.Name = pick(w, clientSecrets)
})

var switchKeys = changing("takes other keys for", func(w *pairWorld, s *v1alpha1.CDPCredentialSpec) {
	s.ClientSecretRef.Keys = pick(w, []*v1alpha1.ClientSecretKeys{
		nil, {ClientID: "alt-id", TenantHash: "alt-id", TokenID: "alt-id"}, {ClientSecret: "alt-secret", OAuthKeySecret: "alt-secret", TokenSecret: "alt-secret"},
		{ClientID: "token-id", ClientSecret: "token-secret"}, {PrivateKey: "any-key"}, {CACertificate: "alt-ca"},
	})
})

var pairActions = []pairAction{
	switchSecret, switchSecret, switchSecret,
	switchKeys, switchKeys,
	changing("takes a target as client Secret for", func(w *pairWorld, s *v1alpha1.CDPCredentialSpec) {
		s.ClientSecretRef.Name = pick(w, pairTargets)
		s.ClientSecretRef.Keys = pick(w, []*v1alpha1.ClientSecretKeys{
			{ClientID: "username", ClientSecret: "password", TenantHash: "username", OAuthKeySecret: "password"}, {ClientID: "token", ClientSecret: "token", TenantHash: "token"},
			{ClientID: "authorization", ClientSecret: "composed"},
		})
	}),
	changing("changes the provider of", func(w *pairWorld, s *v1alpha1.CDPCredentialSpec) { s.Provider = w.pairProvider(pick(w, pairProviders)) }),
	changing("copies a Secret with basic by", func(w *pairWorld, s *v1alpha1.CDPCredentialSpec) {
		s.Provider, s.ClientSecretRef = w.provider("basic"), v1alpha1.ClientSecretReference{Name: pick(w, clientSecrets)}
	}),
	changing("changes what is asked for by", func(w *pairWorld, s *v1alpha1.CDPCredentialSpec) {
		scopes := pick(w, [][]v1alpha1.Scope{{"read"}, {"read", "write"}})
		switch p := &s.Provider; {
		case p.OAuth2 != nil:
			p.OAuth2.Scopes = scopes
		case p.Algonomy != nil:
			p.Algonomy.Resources = scopes
		}
	}),
	changing("changes the templates of", changeTemplates),
	changing("changes the templates of", changeTemplates),
	changing("renames the target of", func(w *pairWorld, s *v1alpha1.CDPCredentialSpec) { s.Target.Name = pick(w, pairTargets) }),
	changing("changes the deletion policy of", func(w *pairWorld, s *v1alpha1.CDPCredentialSpec) {
		s.Target.DeletionPolicy = pick(w, []v1alpha1.DeletionPolicy{v1alpha1.DeletionPolicyDelete, v1alpha1.DeletionPolicyRetain})
	}),
	changing("changes the labels of", func(w *pairWorld, s *v1alpha1.CDPCredentialSpec) {
		s.Target.Labels = pick(w, []map[string]v1alpha1.LabelValue{nil, {"team": "alpha"}, {"team": "b"}, {"example.com/not-allowed": "a"}})
	}),
	changing("suspends or resumes", func(_ *pairWorld, s *v1alpha1.CDPCredentialSpec) { s.Suspend = !s.Suspend }),
	changing("changes refresh of", func(w *pairWorld, s *v1alpha1.CDPCredentialSpec) {
		s.Refresh = pick(w, []*v1alpha1.Refresh{nil, {Before: &metav1.Duration{Duration: w.lifetime / 3}}, {MaxPerDay: new(int32(5))}})
	}),
	changing("changes verify of", func(w *pairWorld, s *v1alpha1.CDPCredentialSpec) {
		s.Verify = pick(w, []*v1alpha1.Verify{nil, {URL: "https://" + apiHost + "/v1", Interval: &metav1.Duration{Duration: time.Minute}}})
	}),
	changing("changes the CA bundle of", func(w *pairWorld, s *v1alpha1.CDPCredentialSpec) {
		s.TLS = nil
		if w.maybe(0.7) {
			s.TLS = &v1alpha1.TLS{CABundle: pick(w, pairMaterial().certificates)}
		}
	}),
	changing("has a workload restarted by", restartWorkload),
	changing("has a workload restarted by", restartWorkload),
	{"requests a refresh of", func(w *pairWorld, o *object) {
		if o.get() != nil {
			refresh(o, fmt.Sprint(w.chance.IntN(1000)))
		}
	}},
	{"deletes and applies again", func(w *pairWorld, o *object) {
		if was := o.get(); was != nil {
			w.api.deleteCredential(o.name)
			w.after(pick(w, []time.Duration{0, time.Second, 40 * time.Second}), func() { o.applyAgain(was) })
		}
	}},

	{"has another take the target of", func(w *pairWorld, o *object) {
		other := pick(w, w.objects)
		if o.get() == nil || other.get() == nil || o.target() == nil || other.get().Spec.Target.Name == o.get().Spec.Target.Name {
			return
		}
		w.editIfThere(o.secret(o.get().Spec.Target.Name), func(s *corev1.Secret) { setAnnotation(s, v1alpha1.AllowedHostsAnnotation, consent) })
		keys := &v1alpha1.ClientSecretKeys{ClientID: "token", ClientSecret: "token", TenantHash: "token", OAuthKeySecret: "token"}
		if o.get().Spec.Provider.Basic != nil {
			keys = &v1alpha1.ClientSecretKeys{ClientID: "username", ClientSecret: "password", TenantHash: "username", OAuthKeySecret: "password"}
		}
		other.edit(func(s *v1alpha1.CDPCredentialSpec) {
			s.ClientSecretRef = v1alpha1.ClientSecretReference{Name: o.get().Spec.Target.Name, Keys: keys}
		})
	}},

	{"has another take the copy of a Secret that is made by", func(w *pairWorld, o *object) {
		other, next := pick(w, w.objects), pick(w, clientSecrets)
		if o.get() == nil || other.get() == nil || other == o {
			return
		}
		o.edit(func(s *v1alpha1.CDPCredentialSpec) {
			s.Provider, s.ClientSecretRef, s.Suspend = w.provider("basic"), v1alpha1.ClientSecretReference{Name: pick(w, clientSecrets)}, false
		})
		target := o.secret(o.get().Spec.Target.Name)
		w.after(12*time.Second, func() {
			w.editIfThere(target, func(s *corev1.Secret) { setAnnotation(s, v1alpha1.AllowedHostsAnnotation, consent) })
			other.editIfThere(func(s *v1alpha1.CDPCredentialSpec) {
				s.Provider = w.provider("oauth2")
				s.ClientSecretRef = v1alpha1.ClientSecretReference{Name: target.Name, Keys: &v1alpha1.ClientSecretKeys{ClientID: "username", ClientSecret: "password"}}
			})
		})
		w.after(40*time.Second, func() { o.editIfThere(func(s *v1alpha1.CDPCredentialSpec) { s.ClientSecretRef.Name = next }) })
	}},

	owning("changes the consent to hosts of the client Secret of", func(w *pairWorld, s *corev1.Secret) {
		setAnnotation(s, v1alpha1.AllowedHostsAnnotation, pick(w, []string{consent, consent, "", "other.example"}))
	}),
	owning("changes the consent to basic of the client Secret of", func(w *pairWorld, s *corev1.Secret) {
		setAnnotation(s, v1alpha1.AllowBasicAnnotation, pick(w, []string{"true", ""}))
	}),
	owning("changes the consent to CAs of the client Secret of", func(w *pairWorld, s *corev1.Secret) {
		setAnnotation(s, v1alpha1.AllowedCAAnnotation, pick(w, []string{"*", "*", "", pairMaterial().sums[0], "none"}))
	}),
	owning("labels the client Secret of", func(w *pairWorld, s *corev1.Secret) {
		s.Labels = map[string]string{"n": fmt.Sprint(w.chance.IntN(1000))}
	}),
	{"rotates the client Secret of", func(w *pairWorld, o *object) {
		if o.get() == nil {
			return
		}
		w.rotations++
		w.editIfThere(o.secret(pick(w, clientSecrets)), w.fill)
	}},
	{"has a target deleted, that of", func(w *pairWorld, o *object) {
		if o.get() != nil && o.target() != nil {
			w.api.setSecret(nil, o.secret(o.get().Spec.Target.Name), nil)
		}
	}},

	{"the operator restarts, whatever is the matter with", func(w *pairWorld, _ *object) { w.restart() }},
	{"the clock is set, whatever is the matter with", func(w *pairWorld, _ *object) {
		by := pick(w, []time.Duration{-5 * time.Second, 5 * time.Second, -50 * time.Minute, 50 * time.Minute, time.Hour})
		if r := w.leader(); r != nil && w.maybe(0.5) {
			r.setClock(by)
		} else if r != nil {
			r.setAfter, r.setBy = 1+w.chance.IntN(20), by // at some point of a reconcile
		}
	}},
	{"the vendors fail for", func(w *pairWorld, _ *object) {
		how := pick(w, []trouble{throttling, throttlingRetryAfter, throttlingRetryAfter, serverError, unauthorized, garbage, hanging, resetting, flaky})
		for _, name := range pairHosts {
			w.vendors.hosts[name].trouble = how
		}
	}},
	{"the API server fails for", func(w *pairWorld, _ *object) {
		denial := apierrors.NewForbidden(secretResource, "", fmt.Errorf("a policy"))
		w.apiFault = pick(w, []apiFault{
			{denied: []string{"create Secret", "patch Secret"}, denial: denial}, {denied: []string{"create Secret", "patch Secret"}, denial: apierrors.NewInternalError(fmt.Errorf("etcd"))},
			{refused: 0.3}, {lost: 0.3}, {slow: time.Second},
		})
	}},
	{"all is well again for", func(w *pairWorld, _ *object) { w.allWell() }},
	{"all is well again for", func(w *pairWorld, _ *object) { w.allWell() }},
}

// changeTemplates picks templates that print values, templates that contain a guess of one, and templates that try to branch on one.
func changeTemplates(w *pairWorld, s *v1alpha1.CDPCredentialSpec) {
	s.Target.Data = pick(w, []map[string]v1alpha1.DataTemplate{
		nil, {"composed": "Bearer {{ .token }}"}, {"composed": "{{ .clientID }}"}, {"composed": "alpha"}, {"composed": "{{ .clientID | upper }}"}, {"composed": "ALPHA"},
		{"composed": "{{ .expiresAt }}"}, {"composed": `{{ if eq .clientID "alpha" }}yes{{ end }}`}, {"composed": `{{ replace "-" "" .clientID | trim }}`},
	})
	if w.maybe(0.2) {
		s.Target.Data = pick(w, largeTemplates())
	}
}

// largeTemplates are at the size limit of templates; the last two exceed it.
var largeTemplates = sync.OnceValue(func() []map[string]v1alpha1.DataTemplate {
	long := v1alpha1.DataTemplate(strings.Repeat("x", 60<<10))
	copies := func(n int, template v1alpha1.DataTemplate) map[string]v1alpha1.DataTemplate {
		data := map[string]v1alpha1.DataTemplate{}
		for i := range n {
			data[fmt.Sprintf("copy%d", i)] = template
		}
		return data
	}
	return []map[string]v1alpha1.DataTemplate{
		copies(16, "{{ .clientID }}"), copies(2, "{{ .token | toJson }}"), {"composed": long + "{{ .clientID | b64enc | upper }}"}, {"composed": long, "copy0": "{{ toJson .headers }}"},
		copies(17, "{{ .clientID }}"), copies(5, "{{ .token | toJson | toJson }}"),
	}
})

// editIfThere changes the spec of an existing object, unless its own target would become its client Secret.
func (o *object) editIfThere(edit func(*v1alpha1.CDPCredentialSpec)) {
	if o.get() == nil {
		return
	}
	spec := o.get().DeepCopy().Spec
	if edit(&spec); spec.Target.Name != spec.ClientSecretRef.Name {
		o.edit(func(s *v1alpha1.CDPCredentialSpec) { *s = spec })
	}
}

func restartWorkload(w *pairWorld, s *v1alpha1.CDPCredentialSpec) {
	s.RolloutRestart = pick(w, [][]v1alpha1.RolloutRestart{nil, {{Kind: "Deployment", Name: "etl"}}, {{Kind: "Deployment", Name: "etl"}}})
}

func setAnnotation(s *corev1.Secret, key, value string) {
	s.Annotations = merged(s.Annotations, map[string]*string{key: &value})
	if value == "" {
		delete(s.Annotations, key)
	}
}
