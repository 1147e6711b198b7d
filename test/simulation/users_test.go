// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"fmt"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

const (
	oauthHost    = "id.vendor.example"
	otherHost    = "id2.vendor.example"
	auth0Host    = "tenant.auth0.example"
	apsisHost    = "api.apsis.one"
	algonomyHost = "algo.vendor.example"
	apiHost      = "api.vendor.example"
	consent      = "*.vendor.example, *.auth0.example"
)

var hostNames = []string{oauthHost, otherHost, auth0Host, apsisHost, algonomyHost, apiHost}

// An object is a CDPCredential that users work with, whether it currently exists or not.
type object struct {
	w    *world
	name types.NamespacedName
	// backups are earlier versions of its target.
	backups []*corev1.Secret
	// recordLost is set once a user removed its target's state annotation, the only record of which keys, labels and annotations are the operator's.
	recordLost bool
}

func (o *object) get() *v1alpha1.CDPCredential { return o.w.api.credentials[o.name] }

func (o *object) secret(name string) types.NamespacedName {
	return types.NamespacedName{Namespace: o.name.Namespace, Name: name}
}

// target returns the Secret that spec.target names, nil if it does not exist.
func (o *object) target() *corev1.Secret {
	return o.w.api.secrets[o.secret(o.get().Spec.Target.Name)]
}

func (o *object) edit(edit func(*v1alpha1.CDPCredentialSpec)) {
	o.w.api.editCredential(o.name, func(obj *v1alpha1.CDPCredential) { edit(&obj.Spec) })
}

func (o *object) editTarget(edit func(*corev1.Secret)) {
	if o.target() != nil {
		o.w.api.editSecret(o.secret(o.get().Spec.Target.Name), edit)
	}
}

// clientID returns the ID of the client in one of the object's two client Secrets.
func (o *object) clientID(secret string) string { return o.name.Name + "." + secret[len(secret)-1:] }

func (o *object) clientSecretNames() []string {
	return []string{o.name.Name + "-client-a", o.name.Name + "-client-b"}
}

// putClientSecret creates or restores a client Secret with values that the vendor accepts.
func (o *object) putClientSecret(name string) {
	id := o.clientID(name)
	if o.w.vendors.secrets[id] == "" {
		o.w.vendors.secrets[id] = "s0"
	}
	if old := o.secret(name); o.w.api.secrets[old] != nil {
		o.w.api.editSecret(old, func(s *corev1.Secret) { fillClientSecret(s, id, o.w.vendors.secrets[id]) })
		return
	}
	secret := &corev1.Secret{Type: corev1.SecretTypeOpaque}
	fillClientSecret(secret, id, o.w.vendors.secrets[id])
	if _, err := o.w.api.createSecret(nil, o.secret(name), secret); err != nil {
		panic(err)
	}
}

func fillClientSecret(s *corev1.Secret, id, secret string) {
	s.Data = map[string][]byte{
		"client-id": []byte(id + "\n"), "client-secret": []byte(secret), "tenant-hash": []byte(id), "oauth-key-secret": []byte(secret),
		"token-id": []byte(id), "token-secret": []byte(secret),
	}
	s.Annotations = consenting(consent)
}

// consenting returns the annotations of a client Secret that may be sent to hosts and copied by basic.
func consenting(hosts string) map[string]string {
	return map[string]string{v1alpha1.AllowedHostsAnnotation: hosts, v1alpha1.AllowBasicAnnotation: "true"}
}

var providers = []string{"oauth2", "oauth2", "oauth2", "experiture", "apsis", "auth0", "algonomy", "algonomy", "basic"}

func (w *world) provider(kind string) v1alpha1.Provider {
	switch kind {
	case "oauth2":
		return v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{TokenURL: "https://" + oauthHost + "/token", Scopes: []v1alpha1.Scope{"read"}}}
	case "experiture":
		return v1alpha1.Provider{Experiture: &v1alpha1.Experiture{TokenURL: "https://" + otherHost + "/x", Scopes: []v1alpha1.Scope{"read"}}}
	case "apsis":
		return v1alpha1.Provider{Apsis: &v1alpha1.Apsis{}}
	case "auth0":
		return v1alpha1.Provider{Auth0: &v1alpha1.Auth0{Domain: auth0Host, Audience: "https://a"}}
	case "algonomy":
		minutes := max(w.vendors.hosts[oauthHost].lifetime.Truncate(time.Minute), time.Minute)
		return v1alpha1.Provider{Algonomy: &v1alpha1.Algonomy{
			URL: "https://" + algonomyHost, API: v1alpha1.AlgonomyProfile, Resources: []v1alpha1.Scope{"basic"}, Validity: &metav1.Duration{Duration: minutes},
		}}
	}
	return v1alpha1.Provider{Basic: &v1alpha1.Basic{}}
}

// apply creates an object and its client Secret.
func (o *object) apply(kind string) {
	o.putClientSecret(o.clientSecretNames()[0])
	o.w.api.createCredential(o.name, &v1alpha1.CDPCredential{Spec: v1alpha1.CDPCredentialSpec{
		Provider:        o.w.provider(kind),
		ClientSecretRef: v1alpha1.ClientSecretReference{Name: o.clientSecretNames()[0]},
		Target:          v1alpha1.Target{Name: o.name.Name + "-token"},
	}})
}

// rendered maps the templates that users know to what they render.
var rendered = map[v1alpha1.DataTemplate]func(token, expires, client string) string{
	"Bearer {{ .token }}":              func(token, _, _ string) string { return "Bearer " + token },
	"{{ .expiresAt }} {{ .clientID }}": func(_, expires, client string) string { return expires + " " + client },
	"fixed":                            func(_, _, _ string) string { return "fixed" },
}

// An action is something that a user does to an existing object. do returns details for the log.
type action struct {
	name string
	do   func(w *world, o *object) string
}

var actions = []action{
	{"asks for something else", askForSomethingElse},
	{"moves the endpoint", func(w *world, o *object) string {
		o.edit(func(s *v1alpha1.CDPCredentialSpec) {
			if s.Provider.OAuth2 != nil {
				s.Provider.OAuth2.TokenURL = v1alpha1.HTTPSURL("https://" + pick(w, []string{oauthHost, otherHost, "nowhere.vendor.example"}) + "/token")
			}
		})
		return ""
	}},
	{"changes the provider", func(w *world, o *object) string {
		kind := pick(w, providers)
		o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.Provider = w.provider(kind) })
		return kind
	}},
	{"renames the target", func(w *world, o *object) string {
		name := pick(w, []string{o.name.Name + "-token", o.name.Name + "-token-2", o.name.Name + "-token-3", "common"})
		o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.Target.Name = name })
		return name
	}},
	{"changes labels", func(w *world, o *object) string {
		o.edit(func(s *v1alpha1.CDPCredentialSpec) {
			s.Target.Labels = pick(w, []map[string]v1alpha1.LabelValue{nil, {"team": "a"}, {"team": "b", "owner": "c"}})
			s.Target.Annotations = pick(w, []map[string]v1alpha1.AnnotationValue{nil, {"owner": "a"}, {"owner": "b"}})
		})
		return ""
	}},
	{"changes templates", func(w *world, o *object) string {
		o.edit(func(s *v1alpha1.CDPCredentialSpec) {
			s.Target.Data = pick(w, []map[string]v1alpha1.DataTemplate{
				nil, {"header": "Bearer {{ .token }}"}, {"header": "{{ .expiresAt }} {{ .clientID }}", "more": "fixed"}, {"header": "{{ .nothing"}, {"more": "Bearer {{ .token }}"},
			})
		})
		return ""
	}},
	{"changes the deletion policy", func(w *world, o *object) string {
		o.edit(func(s *v1alpha1.CDPCredentialSpec) {
			s.Target.DeletionPolicy = pick(w, []v1alpha1.DeletionPolicy{"", v1alpha1.DeletionPolicyDelete, v1alpha1.DeletionPolicyRetain})
		})
		return ""
	}},
	{"changes refresh", func(w *world, o *object) string {
		lifetime := w.vendors.hosts[oauthHost].lifetime
		o.edit(func(s *v1alpha1.CDPCredentialSpec) {
			s.Refresh = pick(w, []*v1alpha1.Refresh{
				nil, {Before: &metav1.Duration{Duration: lifetime / 3}}, {Before: &metav1.Duration{Duration: 2 * lifetime}}, {MaxPerDay: new(int32(1 + w.chance.IntN(30)))},
			})
		})
		return ""
	}},
	{"suspends or resumes", func(_ *world, o *object) string {
		o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.Suspend = !s.Suspend })
		return fmt.Sprint(o.get().Spec.Suspend)
	}},
	{"rotates the client secret", rotate},
	{"labels the client Secret", func(w *world, o *object) string {
		w.editIfThere(o.secret(o.get().Spec.ClientSecretRef.Name), func(s *corev1.Secret) {
			s.Labels = map[string]string{"revision": fmt.Sprint(w.chance.IntN(1000))}
		})
		return ""
	}},
	{"labels the object", func(w *world, o *object) string {
		w.api.editCredential(o.name, func(obj *v1alpha1.CDPCredential) {
			obj.Labels = map[string]string{"revision": fmt.Sprint(w.chance.IntN(1000))}
		})
		return ""
	}},
	{"removes or restores the client Secret", func(w *world, o *object) string {
		name := o.secret(o.get().Spec.ClientSecretRef.Name)
		if w.api.secrets[name] != nil && w.maybe(0.5) {
			w.api.setSecret(nil, name, nil)
			return "removes"
		}
		o.putClientSecret(name.Name)
		return "restores"
	}},
	{"removes a key of the client Secret", func(w *world, o *object) string {
		w.editIfThere(o.secret(o.get().Spec.ClientSecretRef.Name), func(s *corev1.Secret) {
			delete(s.Data, pick(w, []string{"client-id", "client-secret", "tenant-hash", "token-id", "oauth-key-secret"}))
		})
		return ""
	}},
	{"changes the consent", func(w *world, o *object) string {
		w.editIfThere(o.secret(o.get().Spec.ClientSecretRef.Name), func(s *corev1.Secret) {
			s.Annotations = consenting(pick(w, []string{consent, consent, consent + ",other.example", "", "*", oauthHost}))
		})
		return ""
	}},
	{"takes the other client Secret", func(w *world, o *object) string {
		name := pick(w, o.clientSecretNames())
		if w.api.secrets[o.secret(name)] == nil {
			o.putClientSecret(name)
		}
		o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.ClientSecretRef.Name = name })
		return name
	}},
	{"edits the token", func(w *world, o *object) string {
		o.editTarget(func(s *corev1.Secret) {
			if key := pick(w, []string{"token", "token", "authorization"}); w.maybe(0.3) {
				delete(s.Data, key)
			} else if s.Data[key] != nil {
				s.Data[key] = []byte(pick(w, []string{"", "mine"}))
			}
		})
		return ""
	}},
	{"edits another key of the target", func(w *world, o *object) string {
		o.editTarget(func(s *corev1.Secret) {
			for _, key := range slices.Sorted(maps.Keys(s.Data)) {
				if key != "token" && key != "authorization" && w.maybe(0.7) {
					s.Data[key] = []byte("edited")
				}
			}
		})
		return ""
	}},
	{"adds a foreign key to the target", func(w *world, o *object) string {
		o.editTarget(func(s *corev1.Secret) {
			key := fmt.Sprintf("foreign-%d", w.chance.IntN(3))
			s.Data = merged(s.Data, map[string]*[]byte{key: new([]byte("mine"))})
			s.Annotations = merged(s.Annotations, map[string]*string{key: new("mine")})
			s.Labels = merged(s.Labels, map[string]*string{key: new("mine")})
		})
		return ""
	}},
	{"edits the target's metadata", editMetadata},
	{"deletes the target", func(w *world, o *object) string {
		if o.target() == nil {
			return "it does not exist"
		}
		w.api.setSecret(nil, o.secret(o.get().Spec.Target.Name), nil)
		return ""
	}},
	{"replaces the target with a foreign Secret", func(w *world, o *object) string {
		name := o.secret(o.get().Spec.Target.Name)
		if o.target() != nil {
			w.api.setSecret(nil, name, nil)
		}
		secret := &corev1.Secret{Type: corev1.SecretTypeOpaque, Data: map[string][]byte{"foreign-data": []byte("mine")}}
		switch w.chance.IntN(6) {
		case 0:
			secret.Immutable = new(true)
		case 1:
			secret.Type = "example.com/other"
		case 2:
			secret.OwnerReferences = []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "Deployment", Name: "other", UID: "other", Controller: new(true)}}
		}
		if _, err := w.api.createSecret(nil, name, secret); err != nil {
			panic(err)
		}
		return ""
	}},
	{"hands the Secret over", func(_ *world, o *object) string {
		o.editTarget(func(s *corev1.Secret) {
			s.Annotations = merged(s.Annotations, map[string]*string{v1alpha1.CredentialAnnotation: &o.name.Name})
		})
		return ""
	}},
	{"restores the target from a backup", func(w *world, o *object) string {
		if len(o.backups) == 0 {
			return "there is none"
		}
		name, backup := o.secret(o.get().Spec.Target.Name), pick(w, o.backups)
		if o.target() != nil {
			w.api.setSecret(nil, name, nil)
		}
		if _, err := w.api.createSecret(nil, name, backup); err != nil {
			panic(err)
		}
		w.judge.file(o.get().UID).last = nil // its state annotation is an old one
		return ""
	}},
	{"requests a refresh", func(w *world, o *object) string {
		value := fmt.Sprint(w.chance.IntN(1000))
		w.api.editCredential(o.name, func(obj *v1alpha1.CDPCredential) {
			obj.Annotations = map[string]string{v1alpha1.RefreshRequestedAtAnnotation: value}
		})
		return value
	}},
	{"loses the status", func(w *world, o *object) string {
		w.api.editCredential(o.name, func(obj *v1alpha1.CDPCredential) { obj.Status = v1alpha1.CDPCredentialStatus{} })
		w.judge.statusLost(o)
		return ""
	}},
	{"deletes the object and applies it again", func(w *world, o *object) string {
		was := o.get()
		w.api.deleteCredential(o.name)
		pause := pick(w, []time.Duration{0, time.Second, 30 * time.Second})
		w.after(pause, func() { o.applyAgain(was) })
		return ""
	}},
	{"changes verify", func(w *world, o *object) string {
		lifetime := w.vendors.hosts[oauthHost].lifetime
		interval := pick(w, []time.Duration{max(time.Minute, min(lifetime/20, 45*time.Minute)), max(5*time.Minute, min(lifetime/4, time.Hour)), time.Hour})
		o.edit(func(s *v1alpha1.CDPCredentialSpec) {
			s.Verify = &v1alpha1.Verify{URL: "https://" + apiHost + "/v1", Interval: &metav1.Duration{Duration: interval}}
			if w.maybe(0.3) {
				s.Verify = nil
			}
		})
		return ""
	}},
	{"sets a bad CA bundle or none", func(w *world, o *object) string {
		o.edit(func(s *v1alpha1.CDPCredentialSpec) {
			s.TLS = pick(w, []*v1alpha1.TLS{nil, nil, {CABundle: []byte("bad")}})
		})
		return ""
	}},
	{"revokes the tokens at the vendor", func(w *world, o *object) string {
		for _, value := range slices.Sorted(maps.Keys(w.vendors.tokens)) {
			if t := w.vendors.tokens[value]; t.client == o.clientID(o.get().Spec.ClientSecretRef.Name) {
				t.revoked = true
			}
		}
		return ""
	}},
}

func (w *world) editIfThere(name types.NamespacedName, edit func(*corev1.Secret)) {
	if w.api.secrets[name] != nil {
		w.api.editSecret(name, edit)
	}
}

func askForSomethingElse(w *world, o *object) string {
	scopes := pick(w, [][]v1alpha1.Scope{{"read"}, {"read", "write"}, {"write"}, nil})
	o.edit(func(s *v1alpha1.CDPCredentialSpec) {
		switch p := s.Provider; {
		case p.OAuth2 != nil:
			s.Provider.OAuth2.Scopes = scopes
		case p.Experiture != nil:
			s.Provider.Experiture.Scopes = scopes
		case p.Auth0 != nil:
			s.Provider.Auth0.Audience = pick(w, []string{"https://a", "https://b"})
		case p.Algonomy != nil:
			s.Provider.Algonomy.Resources = scopes
			if w.maybe(0.2) {
				s.Provider.Algonomy.Validity = &metav1.Duration{Duration: time.Duration(1+w.chance.IntN(120)) * time.Minute}
			}
		}
	})
	return fmt.Sprint(scopes)
}

// rotate changes the secret of a client, at the vendor a little earlier or later than in the Secret.
func rotate(w *world, o *object) string {
	name := o.get().Spec.ClientSecretRef.Name
	id, secret := o.clientID(name), fmt.Sprintf("s%d", w.chance.IntN(1e6))
	atVendor := func() {
		w.tell("the vendor takes %s from %s", secret, id)
		w.judge.userActed()
		w.vendors.secrets[id] = secret
	}
	inSecret := func() {
		w.judge.userActed()
		w.editIfThere(o.secret(name), func(s *corev1.Secret) {
			s.Data = merged(s.Data, map[string]*[]byte{"client-secret": new([]byte(secret)), "oauth-key-secret": new([]byte(secret)), "token-secret": new([]byte(secret))})
		})
	}
	first, second := atVendor, inSecret
	if w.maybe(0.5) {
		first, second = inSecret, atVendor
	}
	first()
	w.after(w.about(20*time.Second), func() {
		if !w.calmed { // otherwise it has been repaired already
			second()
		}
	})
	return secret
}

func editMetadata(w *world, o *object) string {
	key := pick(w, []string{
		v1alpha1.ExpiresAtAnnotation, v1alpha1.StateAnnotation, v1alpha1.CredentialAnnotation, v1alpha1.ManagedByLabel, "team", "owner", "owner",
	})
	o.editTarget(func(s *corev1.Secret) {
		switch key {
		case "owner":
			s.OwnerReferences = nil
		case "team", v1alpha1.ManagedByLabel:
			delete(s.Labels, key)
		default:
			if s.Annotations[key] == "" {
				return
			}
			o.recordLost = o.recordLost || key == v1alpha1.StateAnnotation
			delete(s.Annotations, key)
			if w.maybe(0.5) {
				s.Annotations[key] = "edited"
			}
		}
	})
	return key
}
