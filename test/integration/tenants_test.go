// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange/exchangetest"
)

// heist is a namespace with two tenants: one has Secrets and a working credential; the other, the thief, may write CDPCredentials and read events,
// and wants the Secrets.
type heist struct {
	*stage
	// victim is the credential etl, with its client Secret etl-client, which consents only to its own endpoint.
	victim *credential
	// thief is a client with the rights of the second tenant.
	thief client.Client
	spy   *spy
	loot  []string // what the thief wants
	guard map[string]string
}

// TestTenantLearnsNothingOfAnothersSecrets: the second tenant tries to learn or change a Secret of the namespace. Each attempt must fail: nothing
// reaches the spy, no Secret of the first tenant changes, and nothing that the thief can read contains a secret.
func TestTenantLearnsNothingOfAnothersSecrets(t *testing.T) {
	t.Parallel()
	for name, attempt := range heists() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHeist(t)
			attempt(h)
			h.nothingStolen()
		})
	}
}

func newHeist(t *testing.T) *heist {
	t.Helper()
	s := newStage(t)
	h := &heist{stage: s, victim: s.ready("etl"), spy: newSpy(t, "127.0.0.1:0", nil), guard: map[string]string{}}
	password := "password-" + random()
	h.victim.editClient(func(secret *corev1.Secret) { secret.Annotations[v1alpha1.AllowedHostsAnnotation] = s.fill("$HOST") })
	s.createSecret("db", map[string]string{"username": "admin-" + random()[8:], "password": password, "line": "a\nb"}, nil)
	s.must(s.Client.Create(t.Context(), &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "robot", Annotations: map[string]string{"kubernetes.io/service-account.name": "default"}},
		Type:       corev1.SecretTypeServiceAccountToken, StringData: map[string]string{"token": "robot-" + random(), "namespace": s.namespace},
	}))
	s.must(s.Client.Create(t.Context(), &corev1.Secret{
		ObjectMeta: s.meta("tls"), Type: corev1.SecretTypeTLS,
		StringData: map[string]string{"tls.crt": "certificate-" + random(), "tls.key": "key-" + random()},
	}))
	for _, name := range []string{"etl-client", "etl-token", "db", "robot", "tls"} {
		secret := s.secretOf(name)
		h.guard[name] = secret.ResourceVersion
		for _, value := range secret.Data {
			h.loot = append(h.loot, string(value))
		}
	}
	h.loot = slices.DeleteFunc(h.loot, func(value string) bool { return len(value) < 16 || value == s.namespace })
	s.remember(func(t *trace) { t.more = append(t.more, h.loot...) })

	roles := readRoles("../../config/rbac/cdpcredential_editor_role.yaml")
	roles[0].SetLabels(nil) // no aggregation here
	binding := &rbacv1.RoleBinding{RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: roles[0].GetName()}}
	binding.Namespace, binding.Name = s.namespace, "thief"
	reader := &rbacv1.Role{Rules: []rbacv1.PolicyRule{{APIGroups: []string{"events.k8s.io"}, Resources: []string{"events"}, Verbs: []string{"get", "list"}}}}
	reader.Namespace, reader.Name = s.namespace, "events"
	readerBinding := &rbacv1.RoleBinding{RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "events"}}
	readerBinding.Namespace, readerBinding.Name = s.namespace, "events"
	id, err := s.grant(t.Context(), append(roles, binding, reader, readerBinding), "thief")
	s.must(err)
	h.thief, err = client.New(id.config, client.Options{Scheme: s.Scheme})
	s.must(err)
	s.until(patience, "the thief's rights", func() error {
		return h.thief.List(t.Context(), &v1alpha1.CDPCredentialList{}, client.InNamespace(s.namespace))
	})
	return h
}

// steal creates a CDPCredential as the thief. By default it would send the victim's client Secret to the spy.
func (h *heist) steal(name string, change func(*v1alpha1.CDPCredential)) *credential {
	h.Helper()
	obj := h.plot(name, change)
	h.must(h.thief.Create(h.Context(), obj))
	return &credential{stage: h.stage, name: name}
}

func (h *heist) plot(name string, change func(*v1alpha1.CDPCredential)) *v1alpha1.CDPCredential {
	obj := &v1alpha1.CDPCredential{ObjectMeta: h.meta(name)}
	obj.Spec = v1alpha1.CDPCredentialSpec{
		Provider:        v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{TokenURL: v1alpha1.HTTPSURL(h.spy.URL + "/token"), AuthMethod: "ClientSecretPost"}},
		ClientSecretRef: v1alpha1.ClientSecretReference{Name: "etl-client"},
		TLS:             &v1alpha1.TLS{CABundle: h.spy.caBundle()},
		Target:          v1alpha1.Target{Name: name + "-token"},
	}
	if change != nil {
		change(obj)
	}
	return obj
}

// honest points the thief's credential to the victim's own endpoint, where it works.
func (h *heist) honest(obj *v1alpha1.CDPCredential) {
	obj.Spec.Provider.OAuth2.TokenURL = v1alpha1.HTTPSURL(h.endpoints.TokenURL(exchangetest.OAuth2))
	obj.Spec.TLS.CABundle = h.endpoints.CABundle()
}

// refused requires that the API server refuses an object at once.
func (h *heist) refused(name string, change func(*v1alpha1.CDPCredential), say string) {
	h.Helper()
	err := h.thief.Create(h.Context(), h.plot(name, change))
	if !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), say) {
		h.Errorf("%s: the API server returned %v, want a refusal that contains %q", name, err, say)
	}
}

// nothingStolen checks everything that could have gone wrong.
func (h *heist) nothingStolen() {
	h.Helper()
	if n := h.spy.calls(); n > 0 {
		h.Errorf("the spy was called %d times", n)
	}
	for name, version := range h.guard {
		if secret := h.secretOf(name); secret == nil || secret.ResourceVersion != version {
			h.Errorf("Secret %s was changed or deleted", name)
		}
	}
	h.silent()
}

// silent requires that nothing that the thief can read contains any of the loot.
func (h *heist) silent() {
	h.Helper()
	search := newNeedles(h.loot)
	for _, list := range []client.ObjectList{&v1alpha1.CDPCredentialList{}, &eventsv1.EventList{}} {
		h.must(h.thief.List(h.Context(), list, client.InNamespace(h.namespace)))
		text, err := json.Marshal(list)
		h.must(err)
		for _, found := range search.in(text) {
			h.Errorf("%T contains the %s", list, found)
		}
	}
}

func heists() map[string]func(*heist) {
	send := func(change func(*heist, *v1alpha1.CDPCredential), reason string, say ...string) func(*heist) {
		return func(h *heist) {
			c := h.steal("thief", func(obj *v1alpha1.CDPCredential) {
				if change != nil {
					change(h, obj)
				}
			})
			c.waitFailed("Stalled", reason, say...)
		}
	}
	oauth2 := func(obj *v1alpha1.CDPCredential) *v1alpha1.OAuth2 { return obj.Spec.Provider.OAuth2 }
	basicOf := func(secret, id, value string) func(*v1alpha1.CDPCredential) {
		return func(obj *v1alpha1.CDPCredential) {
			obj.Spec.Provider = v1alpha1.Provider{Basic: &v1alpha1.Basic{}}
			obj.Spec.ClientSecretRef = v1alpha1.ClientSecretReference{Name: secret, Keys: &v1alpha1.ClientSecretKeys{
				TokenID: v1alpha1.SecretKey(id), TokenSecret: v1alpha1.SecretKey(value),
			}}
		}
	}
	return map[string]func(*heist){
		"ask the API server": func(h *heist) {
			ctx := h.Context()
			for what, err := range map[string]error{
				"get a Secret":    h.thief.Get(ctx, client.ObjectKey{Namespace: h.namespace, Name: "etl-client"}, &corev1.Secret{}),
				"list Secrets":    h.thief.List(ctx, &corev1.SecretList{}, client.InNamespace(h.namespace)),
				"create a Secret": h.thief.Create(ctx, &corev1.Secret{ObjectMeta: h.meta("mine")}),
				"write a status":  h.thief.Status().Update(ctx, h.victim.object()),
			} {
				if !apierrors.IsForbidden(err) {
					h.Errorf("%s: %v", what, err)
				}
			}
		},
		"send a client Secret to the thief's host": send(nil, "HostNotAllowed"),
		"send it to another port of the host that it consents to": send(func(h *heist, obj *v1alpha1.CDPCredential) {
			if !strings.HasPrefix(h.spy.host(), "127.0.0.1:") {
				h.Fatal("the spy is at another host")
			}
		}, "HostNotAllowed", "does not allow its values to be sent to 127.0.0.1:"),
		"send any Secret, by other names for the keys": send(func(_ *heist, obj *v1alpha1.CDPCredential) {
			obj.Spec.ClientSecretRef = v1alpha1.ClientSecretReference{Name: "db", Keys: &v1alpha1.ClientSecretKeys{ClientID: "username", ClientSecret: "password"}}
		}, "HostNotAllowed"),
		"send a ServiceAccount's token": send(func(_ *heist, obj *v1alpha1.CDPCredential) {
			obj.Spec.ClientSecretRef = v1alpha1.ClientSecretReference{Name: "robot", Keys: &v1alpha1.ClientSecretKeys{ClientID: "namespace", ClientSecret: "token"}}
		}, "HostNotAllowed"),
		"send a private key": send(func(_ *heist, obj *v1alpha1.CDPCredential) {
			obj.Spec.ClientSecretRef = v1alpha1.ClientSecretReference{Name: "tls", Keys: &v1alpha1.ClientSecretKeys{ClientID: "tls.crt", ClientSecret: "tls.key"}}
		}, "HostNotAllowed"),
		"send it as another provider's": func(h *heist) {
			url := v1alpha1.HTTPSURL(h.spy.URL)
			for name, provider := range map[string]v1alpha1.Provider{
				"experiture": {Experiture: &v1alpha1.Experiture{TokenURL: url + "/token"}},
				"adobe":      {Adobe: &v1alpha1.Adobe{OrganizationID: "X", IMSURL: &url, Scopes: []v1alpha1.Scope{"a"}}},
				"apsis":      {Apsis: &v1alpha1.Apsis{URL: &url}},
				"algonomy":   {Algonomy: &v1alpha1.Algonomy{URL: url, API: "Profile"}},
				"auth0":      {Auth0: &v1alpha1.Auth0{Domain: h.spy.host()}},
			} {
				c := h.steal(name, func(obj *v1alpha1.CDPCredential) {
					obj.Spec.Provider = provider
					obj.Spec.ClientSecretRef.Keys = &v1alpha1.ClientSecretKeys{TenantHash: "client-secret"}
				})
				c.waitFailed("Stalled", "HostNotAllowed")
			}
		},
		"write the host so that two parsers disagree": func(h *heist) {
			good, bad := h.fill("$HOST"), h.spy.host()
			for name, url := range map[string]string{
				"user":      "https://" + good + "@" + bad + "/token",
				"fragment":  "https://" + bad + "/#@" + good,
				"slash":     `https://` + bad + `\@` + good + `/token`,
				"decimal":   "https://2130706433/token",
				"octal":     "https://0177.0.0.1/token",
				"hex":       "https://0x7f000001/token",
				"plaintext": "http://" + good + "/token",
			} {
				h.refused(name, func(obj *v1alpha1.CDPCredential) { oauth2(obj).TokenURL = v1alpha1.HTTPSURL(url) }, "tokenURL")
			}
		},
		"name a host that looks like the vendor's": send(func(_ *heist, obj *v1alpha1.CDPCredential) {
			url := v1alpha1.HTTPSURL("https://api.apsis.one.example.com")
			obj.Spec.Provider = v1alpha1.Provider{Apsis: &v1alpha1.Apsis{URL: &url}}
		}, "HostNotAllowed", "api.apsis.one.example.com"),
		"have the token verified at the thief's host": func(h *heist) {
			c := h.steal("thief", func(obj *v1alpha1.CDPCredential) {
				h.honest(obj)
				obj.Spec.Verify = &v1alpha1.Verify{URL: v1alpha1.HTTPSURL(h.spy.URL + "/api")}
			})
			h.until(patience, "the verdict", func() error { return is(c.object(), "Verified", metav1.ConditionFalse, "HostNotAllowed") })
		},
		"have a password verified at the thief's host": func(h *heist) {
			c := h.steal("thief", func(obj *v1alpha1.CDPCredential) {
				basicOf("db", "username", "password")(obj)
				obj.Spec.Verify = &v1alpha1.Verify{URL: v1alpha1.HTTPSURL(h.spy.URL + "/api")}
			})
			c.waitFailed("Stalled", "SecretNotAllowed")
		},
		"impersonate a vendor's host, by the thief's own CA": func(h *heist) {
			url := v1alpha1.HTTPSURL("https://api.apsis.one")
			c := h.steal("thief", func(obj *v1alpha1.CDPCredential) {
				obj.Spec.Provider = v1alpha1.Provider{Apsis: &v1alpha1.Apsis{URL: &url}}
			})
			c.waitFailed("Stalled", "CANotAllowed", "no private CA is accepted for the vendor's own host")
		},
		"impersonate the Secret's own host, by the thief's own CA": func(h *heist) {
			h.victim.editClient(func(secret *corev1.Secret) { delete(secret.Annotations, v1alpha1.AllowedCAAnnotation) })
			h.guard["etl-client"] = h.secretOf("etl-client").ResourceVersion
			c := h.steal("thief", func(obj *v1alpha1.CDPCredential) {
				h.honest(obj)
				obj.Spec.TLS.CABundle = h.spy.caBundle()
			})
			c.waitFailed("Stalled", "CANotAllowed", "cdpcredentials.io/allowed-ca=sha256:")
		},
		"send a Secret of another type to a vendor": send(func(_ *heist, obj *v1alpha1.CDPCredential) {
			obj.Spec.TLS = nil
			obj.Spec.Provider = v1alpha1.Provider{Apsis: &v1alpha1.Apsis{}}
			obj.Spec.ClientSecretRef = v1alpha1.ClientSecretReference{Name: "tls", Keys: &v1alpha1.ClientSecretKeys{ClientID: "tls.crt", ClientSecret: "tls.key"}}
		}, "HostNotAllowed", "other keys than the default ones"),
		"be redirected to the thief's host": func(h *heist) {
			for _, status := range []int{http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect} {
				h.endpoints.SetBehaviour(exchangetest.Behaviour{Fault: func(exchangetest.Request) *exchangetest.Fault {
					return exchangetest.Redirect(status, h.spy.URL+"/token")
				}})
				c := h.steal(fmt.Sprint("thief-", status), h.honest)
				c.waitFailed("Reconciling", "EndpointUnavailable", fmt.Sprintf("HTTP %d", status))
			}
		},
		"have the endpoint echo the secret": func(h *heist) {
			secret := h.victim.known.Secret
			echoes := map[string]*exchangetest.Fault{
				"code":        {Status: 400, Body: echo(map[string]any{"error": secret, "error_description": secret})},
				"part":        {Status: 401, Body: echo(map[string]any{"error": secret[9:21]})},
				"envelope":    {Status: 403, Body: echo(map[string]any{"error": map[string]any{"code": secret[8:], "message": secret}, "correlationId": secret[8:]})},
				"correlation": {Status: 500, Body: []byte(secret), Header: http.Header{"X-Correlation-Id": {secret[8:]}, "X-Request-Id": {secret[8:24]}, "X-Debug-Id": {secret[9:]}}},
				"challenge":   {Status: 401, Body: []byte{}, Header: http.Header{"Www-Authenticate": {`Bearer error="` + secret[8:] + `"`}}},
				"upper":       {Status: 400, Body: echo(map[string]any{"error": strings.ToLower(secret[8:])})},
				"malformed":   {Edit: func(body map[string]any) { body["access_token"] = secret + "\n" }},
			}
			for name, fault := range echoes {
				h.endpoints.SetBehaviour(exchangetest.Behaviour{Fault: func(exchangetest.Request) *exchangetest.Fault { return fault }})
				c := h.steal("thief-"+name, h.honest)
				h.until(patience, "the failure", func() error {
					if condition := meta.FindStatusCondition(c.object().Status.Conditions, "Refreshed"); condition == nil || condition.Status == metav1.ConditionTrue {
						return errNotYet
					}
					return nil
				})
			}
			h.loot = append(h.loot, strings.ToLower(secret[8:]), secret[9:21])
		},
		"have the endpoint grant the secret as a scope": func(h *heist) {
			secret := h.victim.known.Secret
			h.endpoints.SetBehaviour(exchangetest.Behaviour{Fault: func(exchangetest.Request) *exchangetest.Fault {
				return &exchangetest.Fault{Edit: func(body map[string]any) {
					body["scope"] = "read " + secret[8:] + " " + body["access_token"].(string)[:120]
				}}
			}})
			c := h.steal("thief", h.honest)
			h.until(patience, "a token", func() error { return is(c.object(), "Ready", metav1.ConditionTrue, "TokenValid") })
			if scopes := c.object().Status.GrantedScopes; len(scopes) != 1 || scopes[0] != "read" {
				h.Errorf("the scopes in status are %d, want read alone", len(scopes))
			}
			h.loot = append(h.loot, secret[8:])
		},
		"read what templates should not see": func(h *heist) {
			for name, template := range map[string]string{
				"secret": "{{ .clientSecret }}", "client": "{{ .client.Secret }}", "all": "{{ . }}", "root": "{{ $ }}", "env": `{{ env "HOME" }}`,
				"call": "{{ call .token }}", "printf": `{{ printf "%v" . }}`, "html": "{{ html .token }}", "define": `{{ define "x" }}{{ end }}`,
				"method": "{{ .token.String }}", "json": "{{ toJson . }}", "range": "{{ range $k, $v := .headers }}{{ $v }}{{ end }}",
			} {
				c := h.steal("thief-"+name, func(obj *v1alpha1.CDPCredential) {
					h.honest(obj)
					obj.Spec.Target.Data = map[string]v1alpha1.DataTemplate{"loot": v1alpha1.DataTemplate(template)}
				})
				c.waitFailed("Stalled", "InvalidTemplate")
			}
			if n := h.victim.attempts(); n != 1 {
				h.Errorf("the endpoint was called %d times, want once by the victim", n)
			}
		},
		"ask a Secret questions by templates": func(h *heist) {
			const guess = `(lt .headers.Authorization "Bz")`
			for name, template := range map[string]string{
				"branch":    `{{ if ` + guess + ` }}yes{{ end }}`,
				"compared":  `{{ ` + guess[1:len(guess)-1] + ` }}`,
				"empty":     `{{ if ` + guess + ` }}{{ else }}x{{ end }}`,
				"failing":   `{{ if ` + guess + ` }}{{ eq 1 "x" }}{{ end }}`,
				"counted":   `{{ len .token }}`,
				"looked up": `{{ index .headers .token }}`,
				"replaced":  `{{ replace "a" "" .token }}`,
				"large":     strings.Repeat(`{{ replace "-" "12345678" .token }}`, 3),
			} {
				c := h.steal("thief-"+strings.ReplaceAll(name, " ", "-"), func(obj *v1alpha1.CDPCredential) {
					basicOf("db", "username", "password")(obj)
					obj.Spec.Target.Data = map[string]v1alpha1.DataTemplate{"loot": v1alpha1.DataTemplate(template)}
				})
				c.waitFailed("Stalled", "InvalidTemplate")
			}
		},
		"take over a Secret as a target": func(h *heist) {
			for _, name := range []string{"db", "tls", "robot", "etl-token"} {
				c := h.steal("thief-"+name, func(obj *v1alpha1.CDPCredential) {
					h.honest(obj)
					obj.Spec.Target.Name = name
				})
				c.waitFailed("Stalled", "TargetNotOwned")
			}
			h.refused("own", func(obj *v1alpha1.CDPCredential) { obj.Spec.Target.Name = "etl-client" }, "must not be the client Secret's own name")
			c := h.steal("thief-client", func(obj *v1alpha1.CDPCredential) {
				basicOf("db", "username", "password")(obj)
				obj.Spec.Target.Name = "etl-client"
			})
			c.waitFailed("Stalled", "TargetNotOwned")
		},
		"have a Secret deleted by naming it and another after it": func(h *heist) {
			c := h.steal("thief", h.honest)
			h.until(patience, "a token", func() error { return is(c.object(), "Ready", metav1.ConditionTrue, "TokenValid") })
			rename := func(to string) {
				obj := c.object()
				before := obj.DeepCopy()
				obj.Spec.Target.Name = to
				h.must(h.thief.Patch(h.Context(), obj, client.MergeFrom(before)))
			}
			rename("db")
			c.waitFailed("Stalled", "TargetNotOwned")
			rename("thief-second")
			h.until(patience, "the move", func() error {
				if h.secretOf("thief-token") != nil {
					return errNotYet
				}
				return is(c.object(), "Ready", metav1.ConditionTrue, "TokenValid")
			})
		},
		"fake the operator's own marks": func(h *heist) {
			mark := func(change func(*v1alpha1.Target)) func(*v1alpha1.CDPCredential) {
				return func(obj *v1alpha1.CDPCredential) { change(&obj.Spec.Target) }
			}
			h.refused("credential", mark(func(target *v1alpha1.Target) {
				target.Annotations = map[string]v1alpha1.AnnotationValue{"cdpcredentials.io/credential": "etl"}
			}), "the operator's own")
			h.refused("consent", mark(func(target *v1alpha1.Target) {
				target.Annotations = map[string]v1alpha1.AnnotationValue{"cdpcredentials.io/allowed-hosts": v1alpha1.AnnotationValue(h.spy.host())}
			}), "the operator's own")
			h.refused("case", mark(func(target *v1alpha1.Target) {
				target.Annotations = map[string]v1alpha1.AnnotationValue{"CDPcredentials.io/allowed-hosts": "x"}
			}), "the operator's own")
			h.refused("label", mark(func(target *v1alpha1.Target) {
				target.Labels = map[string]v1alpha1.LabelValue{"app.kubernetes.io/managed-by": "Helm"}
			}), "the operator's own")
			h.refused("token", mark(func(target *v1alpha1.Target) { target.Data = map[string]v1alpha1.DataTemplate{"token": "x"} }), "the key token always holds the raw token")
		},
		"launder a Secret into one that consents": func(h *heist) {
			// basic would copy the values into the thief's own Secret; their owner does not consent to that.
			h.steal("thief", basicOf("db", "username", "password")).waitFailed("Stalled", "SecretNotAllowed", "allow-basic=true")
			// A target is never a client Secret: not for basic, and not if Retain left it behind.
			for name, provider := range map[string]func(*v1alpha1.CDPCredential){
				"again": basicOf("etl-token", "token", "token"),
				"second": func(obj *v1alpha1.CDPCredential) {
					h.honest(obj)
					obj.Spec.ClientSecretRef = v1alpha1.ClientSecretReference{Name: "etl-token", Keys: &v1alpha1.ClientSecretKeys{ClientID: "token", ClientSecret: "token"}}
				},
			} {
				h.steal(name, provider).waitFailed("Stalled", "SecretNotAllowed", "is or was the target of a CDPCredential")
			}
		},
		"have another controller act on the target": func(h *heist) {
			for i, key := range []string{
				"reflector.v1.k8s.emberstack.com/reflection-auto-enabled", "replicator.v1.mittwald.de/replicate-to", "kubed.appscode.com/sync",
				"argocd.argoproj.io/secret-type", "jenkins.io/credentials-type", "kubernetes.io/service-account.name", "cert-manager.io/allow-direct-injection",
				"grafana_dashboard", "konghq.com/credential", "istio/multiCluster", "kargo.akuity.io/cred-type", "tekton.dev/git-0",
			} {
				for kind, change := range map[string]func(*v1alpha1.Target){
					"label":      func(target *v1alpha1.Target) { target.Labels = map[string]v1alpha1.LabelValue{key: "x"} },
					"annotation": func(target *v1alpha1.Target) { target.Annotations = map[string]v1alpha1.AnnotationValue{key: "x"} },
				} {
					c := h.steal(fmt.Sprint("thief-", kind, i), func(obj *v1alpha1.CDPCredential) {
						basicOf("db", "username", "password")(obj)
						change(&obj.Spec.Target)
					})
					c.waitFailed("Stalled", "InvalidSpec", key+" is not among the labels and annotations that are known to be harmless", "--allowed-target-metadata="+key)
				}
			}
		},
		"have the thief's labels, annotations and owners copied": func(h *heist) {
			c := h.steal("thief", func(obj *v1alpha1.CDPCredential) {
				h.honest(obj)
				obj.Labels = map[string]string{"argocd.argoproj.io/secret-type": "cluster", "team": "thieves"}
				obj.Annotations = map[string]string{"reflector.v1.k8s.emberstack.com/reflection-auto-enabled": "true", "cdpcredentials.io/allowed-hosts": h.spy.host()}
				obj.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "ConfigMap", Name: "boss", UID: "1-2-3"}}
			})
			h.until(patience, "a token", func() error { return is(c.object(), "Ready", metav1.ConditionTrue, "TokenValid") })
			target := h.secretOf("thief-token")
			if len(target.Labels) != 1 || len(target.Annotations) != 3 || len(target.OwnerReferences) != 1 || target.OwnerReferences[0].Name != "thief" {
				h.Errorf("the target has labels %v, %d annotations, owners %v", target.Labels, len(target.Annotations), target.OwnerReferences)
			}
		},
		"conjure a credential of the cluster": func(h *heist) {
			c := h.steal("thief", func(obj *v1alpha1.CDPCredential) {
				h.honest(obj)
				obj.Spec.Target.Name = "bootstrap-token-abcdef"
				obj.Spec.Target.Data = map[string]v1alpha1.DataTemplate{
					"token-id": "abcdef", "token-secret": "0123456789abcdef", "usage-bootstrap-authentication": "true", "auth-extra-groups": "system:bootstrappers:x",
				}
			})
			h.until(patience, "a token", func() error { return is(c.object(), "Ready", metav1.ConditionTrue, "TokenValid") })
			if kind := h.secretOf("bootstrap-token-abcdef").Type; kind != corev1.SecretTypeOpaque {
				h.Errorf("the target has the type %s", kind)
			}
		},
		"copy a credential of the cluster": send(func(_ *heist, obj *v1alpha1.CDPCredential) { basicOf("robot", "namespace", "token")(obj) },
			"SecretNotAllowed", "does not consent"),
		"smuggle headers and parameters": func(h *heist) {
			for name, change := range map[string]func(*v1alpha1.OAuth2){
				"client":        func(o *v1alpha1.OAuth2) { o.Parameters = map[string]v1alpha1.ParameterValue{"client_id": "x"} },
				"grant":         func(o *v1alpha1.OAuth2) { o.Parameters = map[string]v1alpha1.ParameterValue{"grant_type": "password"} },
				"authorization": func(o *v1alpha1.OAuth2) { o.Headers = map[string]v1alpha1.HeaderValue{"authorization": "Basic eDp5"} },
				"host": func(o *v1alpha1.OAuth2) {
					o.Headers = map[string]v1alpha1.HeaderValue{"HOST": v1alpha1.HeaderValue(h.spy.host())}
				},
				"length": func(o *v1alpha1.OAuth2) { o.Headers = map[string]v1alpha1.HeaderValue{"Content-Length": "0"} },
				"proxy":  func(o *v1alpha1.OAuth2) { o.Headers = map[string]v1alpha1.HeaderValue{"Proxy-Authorization": "x"} },
				"name":   func(o *v1alpha1.OAuth2) { o.Headers = map[string]v1alpha1.HeaderValue{"a\r\nHost": "x"} },
			} {
				c := h.steal("thief-"+name, func(obj *v1alpha1.CDPCredential) { h.honest(obj); change(oauth2(obj)) })
				c.waitFailed("Stalled", "InvalidSpec")
			}
		},
		"name a Secret of another namespace": func(h *heist) {
			other := newStage(h.T)
			other.createSecret("treasure", map[string]string{"client-id": "x", "client-secret": random()}, map[string]string{v1alpha1.AllowedHostsAnnotation: "127.0.0.1"})
			for _, name := range []string{other.namespace + "/treasure", "../" + other.namespace + "/treasure", "treasure/../../x"} {
				h.refused("thief", func(obj *v1alpha1.CDPCredential) { obj.Spec.ClientSecretRef.Name = name }, "clientSecretRef.name")
				h.refused("thief", func(obj *v1alpha1.CDPCredential) { obj.Spec.Target.Name = name }, "target.name")
			}
			c := h.steal("thief", func(obj *v1alpha1.CDPCredential) { obj.Spec.ClientSecretRef.Name = "treasure" })
			c.waitFailed("Stalled", "SecretNotFound")
		},
		"make the operator shout": func(h *heist) {
			c := h.steal("thief", h.honest)
			h.until(patience, "a token", func() error { return is(c.object(), "Ready", metav1.ConditionTrue, "TokenValid") })
			issued := h.victim.issued()
			for i := range 20 {
				obj := c.object()
				before := obj.DeepCopy()
				metav1.SetMetaDataAnnotation(&obj.ObjectMeta, "cdpcredentials.io/refresh-requested-at", fmt.Sprint(i))
				h.must(h.thief.Patch(h.Context(), obj, client.MergeFrom(before)))
			}
			h.throughout(5*time.Second, "at least 10 s between two tokens", func() error {
				if n := h.victim.issued() - issued; n > 1 {
					return fmt.Errorf("%d tokens were issued for 20 requests", n)
				}
				return nil
			})
		},
	}
}

func echo(fields map[string]any) []byte {
	body, err := json.Marshal(fields)
	if err != nil {
		panic(err)
	}
	return body
}
