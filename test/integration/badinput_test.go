// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange/exchangetest"
)

// trouble is something that goes wrong with a credential that has a valid token, and what fixes it.
type trouble struct {
	cause  func(*credential)
	kind   string // Stalled or Reconciling
	reason string
	// say is what the message must contain; $NS and $HOST are the namespace and the endpoint.
	say []string
	// asked is how often the endpoint may be called in the seconds that follow.
	asked int
	heal  func(*credential)
	// issued is the number of tokens in the end, including the first one.
	issued int
	// spoilt is set if the endpoint counts tokens that nobody could use.
	spoilt bool
	// moved is set if the object names another target meanwhile, which has no token.
	moved bool
}

// TestTroubleIsReportedAndRecoveredFrom requires of everything that can go wrong: the right reason in the right conditions, a message that says what
// to do, a single Warning, an untouched current token, few calls of the endpoint, and recovery without help once the cause is gone.
func TestTroubleIsReportedAndRecoveredFrom(t *testing.T) {
	t.Parallel()
	for name, trouble := range troubles(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			c := s.ready("etl")
			held, asked := c.token(), c.attempts()

			trouble.cause(c)
			say := make([]string, 0, len(trouble.say))
			for _, words := range trouble.say {
				say = append(say, s.fill(words))
			}
			message := refreshedMessage(c.waitFailed(trouble.kind, trouble.reason, say...))
			s.throughout(4*time.Second, "while it fails", func() error {
				if n := c.attempts() - asked; n > trouble.asked {
					return fmt.Errorf("the endpoint was called %d times, want at most %d", n, trouble.asked)
				}
				if c.token() != held {
					return fmt.Errorf("the current token is gone")
				}
				obj := c.object()
				if why := failed(obj, trouble.kind, trouble.reason); why != nil {
					return why
				}
				if now := refreshedMessage(obj); now != message {
					return fmt.Errorf("the message changed from %q to %q", message, now)
				}
				if trouble.moved {
					return is(obj, "Ready", metav1.ConditionFalse, "NoToken")
				}
				return is(obj, "Ready", metav1.ConditionTrue, "TokenValid")
			})

			trouble.heal(c)
			if trouble.spoilt {
				c.waitRefreshed(held)
			} else {
				c.waitIssued(trouble.issued)
			}
			if n := s.countEvents(c.name, trouble.reason); n != 1 {
				t.Errorf("%d Warnings were emitted, want one", n)
			}
		})
	}
}

func troubles(t *testing.T) map[string]trouble {
	again := func(c *credential) { c.request("again") }
	withoutFault := func(c *credential) { c.endpoints.SetBehaviour(exchangetest.Behaviour{}) }
	fault := func(f func() *exchangetest.Fault) func(*credential) {
		return func(c *credential) {
			c.endpoints.SetBehaviour(exchangetest.Behaviour{Fault: func(exchangetest.Request) *exchangetest.Fault { return f() }})
			again(c)
		}
	}
	// recovers is a temporary trouble of the endpoint.
	recovers := func(f func() *exchangetest.Fault, reason string, say ...string) trouble {
		return trouble{cause: fault(f), kind: "Reconciling", reason: reason, say: say, asked: 5, heal: withoutFault, issued: 2}
	}
	spoils := func(f func() *exchangetest.Fault, say ...string) trouble {
		trouble := recovers(f, "MalformedResponse", say...)
		trouble.spoilt = true
		return trouble
	}
	// rejected is a trouble that somebody must fix, perhaps at the vendor.
	rejected := func(status int) trouble {
		return trouble{
			cause: fault(func() *exchangetest.Fault { return exchangetest.Answer(status) }), kind: "Stalled", reason: "CredentialsRejected",
			say:   []string{fmt.Sprintf("HTTP %d", status), "check the values of Secret etl-client", "spec.provider.oauth2"},
			asked: 1, issued: 2,
			heal: func(c *credential) { withoutFault(c); c.request("and again") },
		}
	}
	// client is a trouble with the client Secret: nothing is sent.
	client := func(change func(*corev1.Secret), reason string, say ...string) trouble {
		var before *corev1.Secret
		return trouble{
			cause: func(c *credential) {
				c.editClient(func(secret *corev1.Secret) { before = secret.DeepCopy(); change(secret) })
			},
			kind: "Stalled", reason: reason, say: say, issued: 1,
			heal: func(c *credential) {
				c.editClient(func(secret *corev1.Secret) { secret.Data, secret.Annotations = before.Data, before.Annotations })
			},
		}
	}
	// spec is a trouble with the object, which is changed back.
	spec := func(change func(*credential, *v1alpha1.CDPCredentialSpec), trouble trouble) trouble {
		var before *v1alpha1.CDPCredential
		trouble.cause = func(c *credential) {
			before = c.object()
			c.edit(func(obj *v1alpha1.CDPCredential) { change(c, &obj.Spec) })
		}
		trouble.issued = 1
		trouble.heal = func(c *credential) { c.edit(func(obj *v1alpha1.CDPCredential) { obj.Spec = before.Spec }) }
		return trouble
	}
	invalid := func(change func(*credential, *v1alpha1.CDPCredentialSpec), reason string, say ...string) trouble {
		return spec(change, trouble{kind: "Stalled", reason: reason, say: say})
	}
	// elsewhere names another endpoint.
	elsewhere := func(url, kind, reason string, say ...string) trouble {
		trouble := spec(func(c *credential, spec *v1alpha1.CDPCredentialSpec) {
			spec.Provider.OAuth2.TokenURL = v1alpha1.HTTPSURL(c.fill(url))
		}, trouble{kind: kind, reason: reason, say: say})
		cause := trouble.cause
		trouble.cause = func(c *credential) {
			c.editClient(func(secret *corev1.Secret) {
				secret.Annotations = map[string]string{
					v1alpha1.AllowedHostsAnnotation: "127.0.0.1,127.0.0.2,10.0.0.1,169.254.169.254,[::1],[::ffff:127.0.0.2],localhost.invalid", v1alpha1.AllowedCAAnnotation: "*",
				}
			})
			cause(c)
		}
		return trouble
	}
	// occupied is a target that belongs to somebody else.
	occupied := func(occupant func(*credential) *corev1.Secret, reason string, say ...string) trouble {
		trouble := spec(func(_ *credential, spec *v1alpha1.CDPCredentialSpec) { spec.Target.Name = "occupied" },
			trouble{kind: "Stalled", reason: reason, say: say, moved: true})
		cause := trouble.cause
		var secret *corev1.Secret
		trouble.cause = func(c *credential) {
			secret = occupant(c)
			c.must(c.Client.Create(c.Context(), secret))
			cause(c)
		}
		trouble.heal = func(c *credential) {
			now := c.secretOf("occupied")
			if now == nil || now.UID != secret.UID || now.ResourceVersion != secret.ResourceVersion {
				c.Fatal("the foreign Secret was changed")
			}
			c.must(c.Client.Delete(c.Context(), now))
		}
		return trouble
	}
	occupant := func(c *credential, change func(*corev1.Secret)) *corev1.Secret {
		secret := &corev1.Secret{ObjectMeta: c.meta("occupied"), StringData: map[string]string{"token": "somebody else's"}}
		change(secret)
		return secret
	}
	handedOver := map[string]string{"cdpcredentials.io/credential": "etl"}

	return map[string]trouble{
		"client Secret missing": {
			cause: func(c *credential) { c.must(c.Client.Delete(c.Context(), c.secretOf("etl-client"))) },
			kind:  "Stalled", reason: "SecretNotFound",
			say:    []string{"create the Secret etl-client in this namespace, with the keys client-id and client-secret"},
			issued: 1,
			heal: func(c *credential) {
				c.createSecret("etl-client", map[string]string{"client-id": c.known.ID, "client-secret": c.known.Secret}, c.allowed())
			},
		},
		"key missing": client(func(secret *corev1.Secret) { delete(secret.Data, "client-secret") },
			"SecretKeyMissing", "Secret etl-client has no value under the key client-secret: add it", "spec.clientSecretRef.keys.clientSecret"),
		"value empty": client(func(secret *corev1.Secret) { secret.Data["client-id"] = nil },
			"SecretKeyMissing", "Secret etl-client has no value under the key client-id: add it"),
		"value nothing but a newline": client(func(secret *corev1.Secret) { secret.Data["client-id"] = []byte("\n") },
			"SecretKeyMissing", "Secret etl-client has no value under the key client-id: add it"),
		"no consent": client(func(secret *corev1.Secret) { secret.Annotations = nil },
			"HostNotAllowed", "kubectl annotate secret -n $NS etl-client --overwrite 'cdpcredentials.io/allowed-hosts=$HOST'"),
		"consent to others only": client(func(secret *corev1.Secret) {
			secret.Annotations[v1alpha1.AllowedHostsAnnotation] = "auth.example.com, *.example.org"
		}, "HostNotAllowed", "adds $HOST to its annotation cdpcredentials.io/allowed-hosts"),
		"consent to everybody": client(func(secret *corev1.Secret) { secret.Annotations[v1alpha1.AllowedHostsAnnotation] = "*" },
			"HostNotAllowed", "the annotation cdpcredentials.io/allowed-hosts of Secret etl-client has an invalid entry", "*.NAME"),
		"private key garbage": {
			cause: func(c *credential) {
				c.editClient(func(secret *corev1.Secret) { secret.Data["private-key"] = []byte("-----BEGIN GARBAGE-----") })
				c.edit(func(obj *v1alpha1.CDPCredential) { obj.Spec.Provider.OAuth2.AuthMethod = "PrivateKeyJWT" })
			},
			kind: "Stalled", reason: "SecretKeyInvalid", say: []string{"Secret etl-client, key private-key:"}, issued: 1,
			heal: func(c *credential) {
				c.edit(func(obj *v1alpha1.CDPCredential) { obj.Spec.Provider.OAuth2.AuthMethod = "ClientSecretPost" })
			},
		},

		"400": rejected(http.StatusBadRequest),
		"401": rejected(http.StatusUnauthorized),
		"403": rejected(http.StatusForbidden),
		"wrong secret": {
			cause: func(c *credential) {
				c.editClient(func(secret *corev1.Secret) { secret.Data["client-secret"] = []byte("wrong" + c.known.Secret) })
			},
			kind: "Stalled", reason: "CredentialsRejected", say: []string{"HTTP 401, error invalid_client", "check the values of Secret etl-client"}, asked: 1, issued: 2,
			heal: func(c *credential) {
				c.known.Secret = c.spare()
				c.must(c.endpoints.Register(c.known))
				c.editClient(func(secret *corev1.Secret) { secret.Data["client-secret"] = []byte(c.known.Secret) })
			},
		},
		"404": recovers(func() *exchangetest.Fault { return exchangetest.Answer(http.StatusNotFound) }, "EndpointUnavailable", "$HOST", "HTTP 404"),
		"429": {
			cause: fault(func() *exchangetest.Fault { return exchangetest.Throttled("20") }), kind: "Reconciling", reason: "Throttled",
			say: []string{"HTTP 429", "ask the vendor for a higher limit"}, asked: 1, heal: withoutFault, issued: 2,
		},
		"500":              recovers(func() *exchangetest.Fault { return exchangetest.Answer(http.StatusInternalServerError) }, "EndpointUnavailable", "HTTP 500", "the operator retries"),
		"HTML 503":         recovers(func() *exchangetest.Fault { return exchangetest.HTML(http.StatusServiceUnavailable) }, "EndpointUnavailable", "HTTP 503"),
		"HTML 200":         recovers(func() *exchangetest.Fault { return exchangetest.HTML(http.StatusOK) }, "MalformedResponse", "not a JSON object", "check that spec.provider.oauth2.tokenURL"),
		"garbage":          recovers(exchangetest.Garbage, "MalformedResponse", "not a JSON object"),
		"nothing":          recovers(func() *exchangetest.Fault { return exchangetest.Empty(http.StatusOK) }, "MalformedResponse", "not a JSON object"),
		"no token":         spoils(func() *exchangetest.Fault { return exchangetest.Without("access_token") }, "the answer has no token"),
		"expired token":    spoils(exchangetest.Expired, "expired"),
		"header-unsafe":    spoils(exchangetest.Unsafe, "unsafe in an HTTP header"),
		"2 MiB":            recovers(exchangetest.Oversized, "MalformedResponse", "larger than 1 MiB"),
		"connection reset": recovers(exchangetest.Reset, "EndpointUnavailable", "$HOST"),
		"no answer":        recovers(exchangetest.Hang, "EndpointUnavailable", "did not answer in time"),
		"error with a 200": spoils(func() *exchangetest.Fault { return errorWithToken() }, "the answer is an error"),
		"absurd lifetime":  spoils(func() *exchangetest.Fault { return lifetime(11 * 365 * 24 * 3600) }, "absurd"),
		"redirect":         recovers(func() *exchangetest.Fault { return exchangetest.Redirect(http.StatusFound, "https://127.0.0.1:1/") }, "EndpointUnavailable", "redirects, and redirects are not followed"),
		"redirect and post": recovers(func() *exchangetest.Fault {
			return exchangetest.Redirect(http.StatusTemporaryRedirect, "https://127.0.0.1:1/")
		}, "EndpointUnavailable", "redirects"),

		"budget spent": {
			cause: func(c *credential) {
				c.edit(func(obj *v1alpha1.CDPCredential) { obj.Spec.Refresh = &v1alpha1.Refresh{MaxPerDay: new(int32(1))} })
				again(c)
			},
			kind: "Stalled", reason: "BudgetSpent", say: []string{"the 1 tokens of spec.refresh.maxPerDay were issued today", "or when maxPerDay is raised"}, issued: 2,
			heal: func(c *credential) {
				c.edit(func(obj *v1alpha1.CDPCredential) { obj.Spec.Refresh.MaxPerDay = new(int32(9)) })
			},
		},

		"another authority's certificate": {
			cause: func(c *credential) {
				c.edit(func(obj *v1alpha1.CDPCredential) { obj.Spec.TLS.CABundle = otherAuthority(c.T) })
				again(c)
			},
			kind: "Reconciling", reason: "EndpointUnavailable", say: []string{"the endpoint's certificate is not trusted"}, issued: 2,
			heal: func(c *credential) {
				c.edit(func(obj *v1alpha1.CDPCredential) { obj.Spec.TLS.CABundle = c.endpoints.CABundle() })
			},
		},
		"caBundle of no certificate": {
			cause: func(c *credential) {
				c.edit(func(obj *v1alpha1.CDPCredential) { obj.Spec.TLS.CABundle = []byte("no PEM") })
				again(c)
			},
			kind: "Stalled", reason: "InvalidSpec", say: []string{"spec.tls.caBundle: "}, issued: 2,
			heal: func(c *credential) {
				c.edit(func(obj *v1alpha1.CDPCredential) { obj.Spec.TLS.CABundle = c.endpoints.CABundle() })
			},
		},
		"nobody listens":        elsewhere("https://127.0.0.1:1/token", "Reconciling", "EndpointUnavailable", "127.0.0.1:1: the connection was refused"),
		"no such host":          elsewhere("https://localhost.invalid/token", "Reconciling", "EndpointUnavailable", "localhost.invalid: the DNS lookup failed"),
		"address not open":      elsewhere("https://127.0.0.2:$PORT/oauth2/token", "Stalled", "EndpointRefused", "127.0.0.2:$PORT: ", "--allowed-cidrs"),
		"private address":       elsewhere("https://10.0.0.1/token", "Stalled", "EndpointRefused", "10.0.0.1: ", "use a public endpoint"),
		"cloud metadata":        elsewhere("https://169.254.169.254/latest", "Stalled", "EndpointRefused", "169.254.169.254: "),
		"loopback in IPv6":      elsewhere("https://[::1]:$PORT/oauth2/token", "Stalled", "EndpointRefused", "[::1]:$PORT: "),
		"IPv4 loopback in IPv6": elsewhere("https://[::ffff:127.0.0.2]:$PORT/oauth2/token", "Stalled", "EndpointRefused", "--allowed-cidrs"),
		"template does not parse": invalid(func(_ *credential, spec *v1alpha1.CDPCredentialSpec) {
			spec.Target.Data = map[string]v1alpha1.DataTemplate{"a": "{{ .token"}
		}, "InvalidTemplate", `spec.target.data.a: `),
		"template of a loop": invalid(func(_ *credential, spec *v1alpha1.CDPCredentialSpec) {
			spec.Target.Data = map[string]v1alpha1.DataTemplate{"a": "{{ range .scopes }}{{ . }}{{ end }}"}
		}, "InvalidTemplate", "range is not allowed"),
		"template that decides on a secret": invalid(func(_ *credential, spec *v1alpha1.CDPCredentialSpec) {
			spec.Target.Data = map[string]v1alpha1.DataTemplate{"a": "{{ if .token }}Bearer {{ .token }}{{ end }}"}
		}, "InvalidTemplate", "spec.target.data.a: .token may be printed but not compared or used in a condition; write {{ .token }}"),
		"template that may become too large": invalid(func(_ *credential, spec *v1alpha1.CDPCredentialSpec) {
			spec.Target.Data = map[string]v1alpha1.DataTemplate{"a": v1alpha1.DataTemplate(strings.Repeat("{{ .token }}", 17))}
		}, "InvalidTemplate", "spec.target.data.a: the outputs together can be larger than 256 KiB"),
		"template of an unknown value": invalid(func(_ *credential, spec *v1alpha1.CDPCredentialSpec) {
			spec.Target.Data = map[string]v1alpha1.DataTemplate{"a": "{{ .clientSecret }}"}
		}, "InvalidTemplate", ".clientSecret is unknown: use .token, "),
		"parameter of the operator's own": invalid(func(_ *credential, spec *v1alpha1.CDPCredentialSpec) {
			spec.Provider.OAuth2.Parameters = map[string]v1alpha1.ParameterValue{"client_id": "another"}
		}, "InvalidSpec", "spec.provider.oauth2: parameters.client_id: is set by the operator"),
		"header of the operator's own": invalid(func(_ *credential, spec *v1alpha1.CDPCredentialSpec) {
			spec.Provider.OAuth2.Headers = map[string]v1alpha1.HeaderValue{"host": "internal.example.com"}
		}, "InvalidSpec", "spec.provider.oauth2: headers.host: is reserved for the operator"),

		"target of somebody else": occupied(func(c *credential) *corev1.Secret { return occupant(c, func(*corev1.Secret) {}) },
			"TargetNotOwned", "Secret occupied exists and was not made by this object", "kubectl annotate secret -n $NS occupied --overwrite 'cdpcredentials.io/credential=etl'"),
		"target of another credential": occupied(func(c *credential) *corev1.Secret {
			return occupant(c, func(secret *corev1.Secret) {
				secret.Annotations = map[string]string{"cdpcredentials.io/credential": "web"}
			})
		}, "TargetNotOwned", "Secret occupied is the target of the CDPCredential web: choose another spec.target.name"),
		"immutable target": occupied(func(c *credential) *corev1.Secret {
			return occupant(c, func(secret *corev1.Secret) { secret.Immutable, secret.Annotations = new(true), handedOver })
		}, "TargetUnusable", "Secret occupied is immutable: delete it, or choose another spec.target.name"),
		"target of another type": occupied(func(c *credential) *corev1.Secret {
			return occupant(c, func(secret *corev1.Secret) { secret.Type, secret.Annotations = "example.com/kind", handedOver })
		}, "TargetUnusable", "Secret occupied is not of type Opaque"),
		"target with another controller": occupied(func(c *credential) *corev1.Secret {
			return occupant(c, func(secret *corev1.Secret) {
				secret.Annotations = handedOver
				secret.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "ConfigMap", Name: "boss", UID: "1-2-3", Controller: new(true)}}
			})
		}, "TargetUnusable", "Secret occupied is controlled by ConfigMap boss"),
	}
}

func refreshedMessage(obj *v1alpha1.CDPCredential) string {
	if condition := meta.FindStatusCondition(obj.Status.Conditions, "Refreshed"); condition != nil {
		return condition.Message
	}
	return ""
}

// otherAuthority returns the certificate of an unrelated CA.
func otherAuthority(t *testing.T) []byte {
	t.Helper()
	other, err := exchangetest.Start(exchangetest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	return other.CABundle()
}

func errorWithToken() *exchangetest.Fault {
	return &exchangetest.Fault{Edit: func(body map[string]any) { body["error"] = "server_error" }}
}

func lifetime(seconds int) *exchangetest.Fault {
	return &exchangetest.Fault{Edit: func(body map[string]any) {
		body["access_token"], body["expires_in"] = "opaque-"+random(), seconds
	}}
}
