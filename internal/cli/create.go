// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
	"github.com/cdpcredentials/cdp-credential-operator/internal/flow"
)

// creation is what the flags of `create` say.
type creation struct {
	secret, target, dryRun, output string
	withSecret                     bool

	url, domain, audience, organization, sandbox, api, authMethod string
	scopes, resources                                             []string
	validity                                                      time.Duration
}

var providers = []string{"adobe", "algonomy", "apsis", "auth0", "basic", "experiture", "oauth2"}

func newCreate(env Environment, connect *connection) *cobra.Command {
	var c creation
	var sure confirmation
	cmd := &cobra.Command{
		Use:   "create PROVIDER NAME",
		Short: "Write the manifest of a new object, or create it together with its client Secret",
		Long: "Write the manifest of a new object. PROVIDER is one of " + strings.Join(providers, ", ") + ".\n\n" +
			"By default nothing is created: the manifest goes to standard output, and which Secret it needs to standard error. With --dry-run=none the object is created. " +
			"With --with-secret, too, the client Secret is created first, from values that are asked for and never shown; a value that begins with @ names a file.",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usageErrorf("give a provider and a name; see %s --help", cmd.CommandPath())
			}
			return nil
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return providers, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			obj, desired, err := c.object(args[0], args[1])
			if err != nil {
				return err
			}
			return c.run(cmd.Context(), env, connect, obj, desired, &sure)
		},
	}
	c.addFlags(cmd)
	sure.addFlag(cmd)
	return cmd
}

func (c *creation) addFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&c.secret, "secret", "", "Name of the client Secret; empty means NAME-client.")
	flags.StringVar(&c.target, "target", "", "Name of the target Secret; empty means NAME-token.")
	flags.StringVar(&c.dryRun, "dry-run", "client", "client: print the manifest; none: create the object.")
	flags.StringVarP(&c.output, "output", "o", "yaml", "Format of the manifest: yaml.")
	flags.BoolVar(&c.withSecret, "with-secret", false, "With --dry-run=none: ask for the values of the client Secret, and create it.")
	flags.StringVar(&c.url, "url", "", "The endpoint: tokenURL of oauth2 and experiture, url of algonomy and apsis, imsURL of adobe.")
	flags.StringVar(&c.domain, "domain", "", "auth0: host of the tenant.")
	flags.StringVar(&c.audience, "audience", "", "auth0, oauth2: the API that the token is for.")
	flags.StringVar(&c.organization, "organization-id", "", "adobe: the IMS organization, for example ABC@AdobeOrg.")
	flags.StringVar(&c.sandbox, "sandbox", "", "adobe: the sandbox.")
	flags.StringVar(&c.api, "api", "", "algonomy: Profile or GDPR.")
	flags.StringVar(&c.authMethod, "auth-method", "", "oauth2: ClientSecretBasic, ClientSecretBasicRaw, ClientSecretPost or PrivateKeyJWT.")
	flags.StringSliceVar(&c.scopes, "scope", nil, "adobe, experiture, oauth2: a scope; may be repeated.")
	flags.StringSliceVar(&c.resources, "resource", nil, "algonomy, oauth2: a resource; may be repeated.")
	flags.DurationVar(&c.validity, "validity", 0, "algonomy: the lifetime to ask for, in whole minutes.")
}

// object is what the flags ask for, checked as far as that goes without the API server.
func (c *creation) object(provider, name string) (*v1alpha1.CDPCredential, credential.DesiredFlow, error) {
	var desired credential.DesiredFlow
	if c.output != "yaml" || c.dryRun != "client" && c.dryRun != "none" {
		return nil, desired, usageErrorf("-o is yaml, and --dry-run client or none")
	}
	if c.withSecret && c.dryRun != "none" {
		return nil, desired, usageErrorf("--with-secret needs --dry-run=none: the values of a Secret are never printed")
	}
	made, missing := c.provider(provider)
	if made == (v1alpha1.Provider{}) {
		return nil, desired, usageErrorf("there is no provider %q: it is one of %s", provider, strings.Join(providers, ", "))
	}
	if missing != "" {
		return nil, desired, usageErrorf("%s needs %s", provider, missing)
	}
	obj := &v1alpha1.CDPCredential{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: v1alpha1.CDPCredentialSpec{
			Provider:        made,
			ClientSecretRef: v1alpha1.ClientSecretReference{Name: cmp.Or(c.secret, name+"-client")},
			Target:          v1alpha1.Target{Name: cmp.Or(c.target, name+"-token")},
		},
	}
	obj.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("CDPCredential"))
	desired, err := credential.DesiredFlowOf(&obj.Spec)
	if err != nil {
		return nil, desired, usageErrorf("%v", err)
	}
	if wrong := desired.Flow.Check(); wrong != nil && desired.Flow.Exchanges() {
		return nil, desired, usageErrorf("%v", wrong)
	}
	return obj, desired, nil
}

// provider makes a member of spec.provider, and says which flag it lacks. No member: there is no such provider.
func (c *creation) provider(name string) (made v1alpha1.Provider, missing string) {
	switch name {
	case "adobe":
		made.Adobe = &v1alpha1.Adobe{OrganizationID: c.organization, SandboxName: c.sandbox, Scopes: scopesOf(c.scopes), IMSURL: optionalURL(c.url)}
		missing = lacking("--organization-id", c.organization, "--scope", strings.Join(c.scopes, ""))
	case "algonomy":
		made.Algonomy = &v1alpha1.Algonomy{URL: v1alpha1.HTTPSURL(c.url), API: v1alpha1.AlgonomyAPI(c.api), Resources: scopesOf(c.resources)}
		if c.validity > 0 {
			made.Algonomy.Validity = &metav1.Duration{Duration: c.validity}
		}
		missing = lacking("--url", c.url, "--api Profile or GDPR", c.api)
	case "apsis":
		made.Apsis = &v1alpha1.Apsis{URL: optionalURL(c.url)}
	case "auth0":
		made.Auth0 = &v1alpha1.Auth0{Domain: c.domain, Audience: c.audience}
		missing = lacking("--domain", c.domain)
	case "basic":
		made.Basic = &v1alpha1.Basic{}
	case "experiture":
		made.Experiture = &v1alpha1.Experiture{TokenURL: v1alpha1.HTTPSURL(c.url), Scopes: scopesOf(c.scopes)}
		missing = lacking("--url", c.url)
	case "oauth2":
		made.OAuth2 = &v1alpha1.OAuth2{
			TokenURL: v1alpha1.HTTPSURL(c.url), AuthMethod: v1alpha1.AuthMethod(c.authMethod), Scopes: scopesOf(c.scopes), Audience: c.audience, Resources: c.resources,
		}
		missing = lacking("--url", c.url)
	}
	return made, missing
}

// lacking names the flags, each followed by its value, that have none.
func lacking(flagsAndValues ...string) string {
	var missing []string
	for pair := range slices.Chunk(flagsAndValues, 2) {
		if pair[1] == "" {
			missing = append(missing, pair[0])
		}
	}
	return strings.Join(missing, " and ")
}

func scopesOf(texts []string) []v1alpha1.Scope {
	var scopes []v1alpha1.Scope
	for _, text := range texts {
		scopes = append(scopes, v1alpha1.Scope(text))
	}
	return scopes
}

func optionalURL(text string) *v1alpha1.HTTPSURL {
	if text == "" {
		return nil
	}
	return new(v1alpha1.HTTPSURL(text))
}

func (c *creation) run(ctx context.Context, env Environment, connect *connection, obj *v1alpha1.CDPCredential, desired credential.DesiredFlow, sure *confirmation) error {
	if c.dryRun == "client" {
		text, err := manifestOf(obj)
		if err != nil {
			return err
		}
		p := &page{}
		p.line("it needs a client Secret:")
		p.command("  ", secretCommand(obj, &desired))
		unmade := &corev1.Secret{}
		if consentFor(unmade, &desired) != "" {
			p.line("and the Secret's consent:")
			for key, value := range unmade.Annotations {
				p.command("  ", fmt.Sprintf("kubectl annotate secret %s %s=%s", obj.Spec.ClientSecretRef.Name, key, value))
			}
		}
		fmt.Fprint(env.Err, p)
		_, err = env.Out.Write(text)
		return err
	}
	s, err := connect.open()
	if err != nil {
		return err
	}
	obj.Namespace = s.namespace
	if c.withSecret {
		if err := s.createSecret(ctx, env, obj, &desired, sure); err != nil {
			return err
		}
	}
	if err := s.Create(ctx, obj, fieldManager); err != nil {
		return explained(err)
	}
	fmt.Fprintf(env.Out, "%s is created; see what comes of it with: kubectl cdpcred status %s -n %s\n", obj.Name, obj.Name, obj.Namespace)
	return nil
}

// manifestOf leaves out what only the API server writes.
func manifestOf(obj *v1alpha1.CDPCredential) ([]byte, error) {
	return yaml.Marshal(map[string]any{
		"apiVersion": obj.APIVersion, "kind": obj.Kind, "metadata": map[string]string{"name": obj.Name}, "spec": obj.Spec,
	})
}

// secretCommand makes the client Secret, with an ellipsis for each value.
func secretCommand(obj *v1alpha1.CDPCredential, desired *credential.DesiredFlow) string {
	words := []string{"kubectl create secret generic", obj.Spec.ClientSecretRef.Name}
	for _, key := range desired.Flow.Keys {
		switch {
		case key.Optional:
		case key.Field == flow.PrivateKey:
			words = append(words, "--from-file="+key.Name+"=…")
		default:
			words = append(words, "--from-literal="+key.Name+"=…")
		}
	}
	return strings.Join(words, " ")
}

// createSecret asks for the values, and for consent where the host is not the vendor's own.
func (s *session) createSecret(ctx context.Context, env Environment, obj *v1alpha1.CDPCredential, desired *credential.DesiredFlow, sure *confirmation) error {
	if !env.Interactive || env.ReadSecret == nil {
		return usageErrorf("--with-secret asks a person: there is none here")
	}
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: obj.Namespace, Name: obj.Spec.ClientSecretRef.Name}, Data: map[string][]byte{}}
	if means := consentFor(secret, desired); means != "" {
		p := &page{}
		p.wrap("- ", means)
		fmt.Fprintf(env.Err, "Secret %s is created:\n%s", secret.Name, p)
		if err := sure.ask(env); err != nil {
			return err
		}
	}
	for _, key := range desired.Flow.Keys {
		value, err := askValue(env, &key)
		if err != nil {
			return err
		}
		if len(value) > 0 {
			secret.Data[key.Name] = value
		}
	}
	if err := s.Create(ctx, secret, fieldManager); err != nil {
		return fmt.Errorf("create Secret %s: %s", secret.Name, apierrors.ReasonForError(err)) // a policy's own text may quote values
	}
	fmt.Fprintf(env.Out, "Secret %s is created\n", secret.Name)
	return nil
}

// consentFor writes the consent that the object needs, and says what it means. Empty: it needs none.
func consentFor(secret *corev1.Secret, desired *credential.DesiredFlow) string {
	switch {
	case !desired.Flow.Exchanges():
		secret.Annotations = map[string]string{v1alpha1.AllowBasicAnnotation: "true"}
		return fmt.Sprintf("any CDPCredential of namespace %s with the provider basic may copy its values into another Secret", secret.Namespace)
	case slices.Contains(desired.Flow.Hosts, desired.Endpoint.Host) && desired.Endpoint.Port == 443:
		return ""
	}
	host := strings.TrimSuffix(desired.Endpoint.String(), ":443")
	secret.Annotations = map[string]string{v1alpha1.AllowedHostsAnnotation: host}
	return fmt.Sprintf("any CDPCredential of namespace %s may have its values sent to %s", secret.Namespace, host)
}

func askValue(env Environment, key *flow.Key) ([]byte, error) {
	prompt := key.Name
	if key.Optional {
		prompt += " (optional)"
	}
	fmt.Fprintf(env.Err, "%s: ", prompt)
	value, err := env.ReadSecret()
	fmt.Fprintln(env.Err)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", key.Name, err)
	}
	if path, ok := strings.CutPrefix(string(value), "@"); ok {
		if value, err = os.ReadFile(path); err != nil { //nolint:gosec // the user says which
			return nil, fmt.Errorf("read the file for %s: %w", key.Name, errors.Unwrap(err))
		}
	}
	if len(value) == 0 && !key.Optional {
		return nil, usageErrorf("%s must not be empty", key.Name)
	}
	return value, nil
}
