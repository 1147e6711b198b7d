// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

// A Trial is what came of one exchange. It holds no value of a Secret and no token. Its JSON is an interface (docs/cli.md).
type Trial struct {
	Object   string `json:"object"`
	Endpoint string `json:"endpoint,omitempty"`
	// Request is what was sent, with every value that could be secret as REDACTED. Nil: nothing was.
	Request *SentRequest `json:"request,omitempty"`
	Answer  *SeenAnswer  `json:"answer,omitempty"`
	Token   *TriedToken  `json:"token,omitempty"`
	// Reason and Message say why there is no token, in the operator's words.
	Reason  string `json:"reason,omitempty"`
	Message string `json:"message,omitempty"`
}

// A TriedToken is what is known of the token, which is dropped.
type TriedToken struct {
	Type     string       `json:"type"`
	Expires  *metav1.Time `json:"expires,omitempty"`
	Lifetime string       `json:"lifetime,omitempty"`
	// Renewal is when the operator would renew it.
	Renewal *metav1.Time `json:"renewal,omitempty"`
	Granted []string     `json:"granted,omitempty"`
	// Claims are the names of a JWT's claims. Empty: it is opaque.
	Claims []string `json:"claims,omitempty"`
}

type trialOptions struct {
	subject
	force                        bool
	hosts, only, allowed, denied string
	caFile                       string
}

func newTry(env Environment, connect *connection) *cobra.Command {
	var out output
	var opts trialOptions
	cmd := &cobra.Command{
		Use:   "try (-f FILE | NAME)",
		Short: "Make one exchange from here, and show what was sent and answered, without secrets",
		Long: "Make one exchange from here, and show what was sent and answered, without secrets. The token is dropped: no Secret is written.\n\n" +
			"The same consent is needed as for the operator, with the flags of its Deployment where that can be seen. Reads the client Secret, with your rights, or takes it " +
			"from the file. It costs a token at the vendor, which spec.refresh.maxPerDay does not count. At an endpoint where a new token invalidates the one in use (OneActive) " +
			"it refuses without --force. Ends with 3 if there is no token.",
		ValidArgsFunction: connect.completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := errors.Join(opts.check(args), out.check()); err != nil {
				return usageErrorf("%v", err)
			}
			trial, err := opts.run(cmd.Context(), env, connect, args)
			if err != nil {
				return err
			}
			if err := out.print(env, trial, func(p *page) { p.trial(trial, env.Now()) }); err != nil {
				return err
			}
			if trial.Token == nil {
				return errProblem
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&opts.file, "filename", "f", "", "File with the CDPCredential, and maybe with its client Secret; - is standard input.")
	flags.BoolVar(&opts.force, "force", false, "Try even where that invalidates the token in use.")
	flags.StringVar(&opts.hosts, "allowed-token-hosts", "", "The operator's flag, where its Deployment cannot be seen.")
	flags.StringVar(&opts.only, "token-hosts-only", "", "The operator's flag, where its Deployment cannot be seen.")
	flags.StringVar(&opts.allowed, "allowed-cidrs", "", "The operator's flag, where its Deployment cannot be seen.")
	flags.StringVar(&opts.denied, "denied-cidrs", "", "The operator's flag, where its Deployment cannot be seen.")
	flags.StringVar(&opts.caFile, "ca-file", "", "PEM file with certificates to trust in addition to this machine's, as the operator's flag.")
	out.addFlag(cmd)
	return cmd
}

func (t *trialOptions) run(ctx context.Context, env Environment, connect *connection, args []string) (*Trial, error) {
	obj, secrets, err := t.find(ctx, env, connect, args)
	if err != nil {
		return nil, err
	}
	if oneActive(obj) && !t.force {
		return nil, usageErrorf("a new token of this endpoint invalidates the one in use (OneActive): pods would get 401 until the operator's next renewal; say --force if that is all right")
	}
	s, err := connect.open()
	if err != nil {
		return nil, err
	}
	obj.Namespace = cmp.Or(obj.Namespace, s.namespace)
	secret, err := s.clientSecret(ctx, obj, secrets)
	if err != nil {
		return nil, err
	}
	allowed, err := t.rules(ctx, s)
	if err != nil {
		return nil, err
	}
	transports := &egress.Transports{Policy: allowed.addresses, Proxy: http.ProxyFromEnvironment}
	defer transports.CloseIdleConnections()
	if err := t.trust(transports); err != nil {
		return nil, fmt.Errorf("--ca-file: %w", err)
	}
	return tryExchange(ctx, env, obj, secret, allowed.policy, transports), nil
}

func oneActive(obj *v1alpha1.CDPCredential) bool {
	declared := obj.Spec.Refresh != nil && obj.Spec.Refresh.Issuance == v1alpha1.IssuanceOneActive
	return declared || obj.Status.IssuanceMode == v1alpha1.IssuanceModeOneActive
}

// trust adds --ca-file to this machine's roots.
func (t *trialOptions) trust(transports *egress.Transports) error {
	if t.caFile == "" {
		return nil
	}
	bundle, err := os.ReadFile(t.caFile)
	if err != nil {
		return err
	}
	return transports.TrustAlso(bundle)
}

// clientSecret is that of the file, or else of the cluster.
func (s *session) clientSecret(ctx context.Context, obj *v1alpha1.CDPCredential, given []corev1.Secret) (*corev1.Secret, error) {
	name := obj.Spec.ClientSecretRef.Name
	for i := range given {
		if given[i].Name == name && cmp.Or(given[i].Namespace, obj.Namespace) == obj.Namespace {
			given[i].Namespace = obj.Namespace
			return &given[i], nil
		}
	}
	secret := &corev1.Secret{}
	if err := s.Get(ctx, client.ObjectKey{Namespace: obj.Namespace, Name: name}, secret); err != nil {
		return nil, fmt.Errorf("read the client Secret: %w", err)
	}
	return secret, nil
}

// rules are those of the operator's Deployment, if there is one that can be seen, and else those that the command's flags say.
func (t *trialOptions) rules(ctx context.Context, s *session) (rules, error) {
	if operators, err := s.operators(ctx); err == nil && len(operators) > 0 {
		if t.hosts+t.only+t.allowed+t.denied != "" {
			return rules{}, usageErrorf("the Deployment %s/%s says which flags the operator has: leave them out", operators[0].Namespace, operators[0].Name)
		}
		return rulesOfOperator(&operators[0])
	}
	r, err := rulesOf(t.hosts, t.only, t.allowed, t.denied)
	if err != nil {
		return r, usageErrorf("%v", err)
	}
	return r, nil
}

// tryExchange does what the operator does between its decision and the write of the target, with the operator's own code.
func tryExchange(ctx context.Context, env Environment, obj *v1alpha1.CDPCredential, secret *corev1.Secret, policy credential.Policy, transports *egress.Transports) *Trial {
	trial := &Trial{Object: obj.Namespace + "/" + obj.Name, Endpoint: endpointOf(obj)}
	desired, err := credential.DesiredFlowOf(&obj.Spec)
	if err != nil {
		return trial.failed(&credential.Failure{Reason: v1alpha1.ReasonInvalidSpec, Message: err.Error()}, nil)
	}
	s := &credential.State{Now: env.Now(), Object: obj, SavedStatus: obj.Status, Desired: desired, Policy: policy, Client: credential.ClientSecretOf(&secret.ObjectMeta)}
	s.Client.Content = secret
	if refused := credential.ConsentToExchange(s); refused != nil {
		return trial.failed(refused, nil)
	}
	request, err := desired.Request(secret)
	if err != nil {
		return trial.failed(credential.FailureOfExchange(s, err), err)
	}
	transport, err := transports.For(obj.Namespace, s.Roots(desired.Endpoint))
	if err != nil {
		return trial.failed(credential.FailureOfExchange(s, err), err)
	}
	wire := &recorder{next: transport}
	got, err := exchange.Exchanger{Now: env.Now, Rand: rand.Reader}.Exchange(ctx, wire, request)
	hidden := secretsOf(secret, got)
	trial.Request, trial.Answer = wire.request(hidden), wire.answer(hidden)
	if err != nil {
		return trial.failed(credential.FailureOfExchange(s, err), err)
	}
	trial.Token = triedToken(obj, got, hidden)
	return trial
}

func (t *Trial) failed(f *credential.Failure, err error) *Trial {
	if f == nil {
		t.Reason, t.Message = v1alpha1.ReasonEndpointUnavailable, plain(err.Error())
		return t
	}
	t.Reason, t.Message = f.Reason, plain(f.Message)
	if f.Correlation != "" {
		t.Message += " (correlation id " + f.Correlation + ")"
	}
	return t
}

func triedToken(obj *v1alpha1.CDPCredential, got exchange.Token, hidden hidden) *TriedToken {
	t := &TriedToken{Type: hidden.show(got.Type), Claims: claimNames(string(got.Value), hidden)}
	for _, scope := range got.Granted {
		t.Granted = append(t.Granted, hidden.show(scope))
	}
	if got.Life.ExpiresAt.IsZero() {
		return t
	}
	before := obj.Spec.Refresh
	t.Expires, t.Lifetime = new(metav1.NewTime(got.Life.ExpiresAt)), got.Life.Lifetime().Round(time.Second).String()
	lead := metav1.Duration{}
	if before != nil && before.Before != nil {
		lead = *before.Before
	}
	t.Renewal = new(metav1.NewTime(got.Life.RenewAt(lead.Duration, string(obj.UID))))
	return t
}
