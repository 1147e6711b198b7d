// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
	"github.com/cdpcredentials/cdp-credential-operator/internal/render"
)

// publicationFor is a token of a provider, with a client Secret that has every value.
func publicationFor(t *testing.T, p v1alpha1.Provider) *Publication {
	t.Helper()
	in, err := DesiredFlowOf(specOf(p))
	if err != nil {
		t.Fatal(err)
	}
	req, err := in.Request(clientSecret(map[string]string{
		"client-id": "id", "client-secret": "cs", "private-key": "pk", "tenant-hash": "th", "token-id": "ti", "token-secret": "ts",
	}))
	if err != nil {
		t.Fatal(err)
	}
	got := exchange.Token{Value: "t0ken", Type: "Bearer"}
	if req.Flow.Static != nil {
		got = exchange.Token{Value: "dGk6dHM=", Type: "Basic"}
	}
	pub := &Publication{Token: got, Request: req, Persisted: PersistedState{PersistedToken: PersistedToken{IssuedAt: at("11:00:00"), ExpiresAt: at("12:00:00.9")}}}
	if req.Flow.Static != nil {
		pub.Persisted = PersistedState{}
	}
	return pub
}

func dataTexts(data map[string][]byte) map[string]string {
	texts := map[string]string{}
	for key, value := range data {
		texts[key] = string(value)
	}
	return texts
}

// TestTargetDataOfEachProvider: the raw token, and the headers that the vendor's API wants besides the one that carries it; for basic the credentials.
func TestTargetDataOfEachProvider(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		provider v1alpha1.Provider
		want     map[string]string
	}{
		"experiture": {v1alpha1.Provider{Experiture: &v1alpha1.Experiture{TokenURL: "https://x.example.com"}}, map[string]string{"token": "t0ken"}},
		"apsis":      {v1alpha1.Provider{Apsis: &v1alpha1.Apsis{}}, map[string]string{"token": "t0ken"}},
		"auth0":      {v1alpha1.Provider{Auth0: &v1alpha1.Auth0{Domain: "x.example.com"}}, map[string]string{"token": "t0ken"}},
		"oauth2":     {v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{TokenURL: "https://x.example.com", Headers: map[string]v1alpha1.HeaderValue{"X-H": "1"}}}, map[string]string{"token": "t0ken"}},
		"adobe": {
			v1alpha1.Provider{Adobe: &v1alpha1.Adobe{OrganizationID: "ABC@AdobeOrg", Scopes: []v1alpha1.Scope{"openid"}}},
			map[string]string{"token": "t0ken", "x-api-key": "id", "x-gw-ims-org-id": "ABC@AdobeOrg"},
		},
		"adobe with a sandbox": {
			v1alpha1.Provider{Adobe: &v1alpha1.Adobe{OrganizationID: "ABC@AdobeOrg", SandboxName: "prod", Scopes: []v1alpha1.Scope{"openid"}}},
			map[string]string{"token": "t0ken", "x-api-key": "id", "x-gw-ims-org-id": "ABC@AdobeOrg", "x-sandbox-name": "prod"},
		},
		"adobe with a service account": {
			v1alpha1.Provider{Adobe: &v1alpha1.Adobe{OrganizationID: "ABC@AdobeOrg", ServiceAccount: &v1alpha1.AdobeServiceAccount{TechnicalAccountID: "x"}}},
			map[string]string{"token": "t0ken", "x-api-key": "id", "x-gw-ims-org-id": "ABC@AdobeOrg"},
		},
		"algonomy": {v1alpha1.Provider{Algonomy: &v1alpha1.Algonomy{URL: "https://x.example.com", API: "Profile"}}, map[string]string{"token": "t0ken", "tenant_hash": "th"}},
		"basic":    {v1alpha1.Provider{Basic: &v1alpha1.Basic{}}, map[string]string{"username": "ti", "password": "ts", "authorization": "Basic dGk6dHM="}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data, err := TargetData(steady().Object, publicationFor(t, tc.provider))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, dataTexts(data)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestTargetDataOfTemplates: what templates see, beside the default keys.
func TestTargetDataOfTemplates(t *testing.T) {
	t.Parallel()
	all := map[string]v1alpha1.DataTemplate{
		"line": `{{ .token }}|{{ .tokenType }}|{{ .expiresAt }}|{{ .clientID }}|{{ join "," .scopes }}|{{ toJson .headers }}`,
	}
	scoped := v1alpha1.Provider{Experiture: &v1alpha1.Experiture{TokenURL: "https://x.example.com", Scopes: []v1alpha1.Scope{"a", "b"}}}
	tests := map[string]struct {
		provider v1alpha1.Provider
		change   func(*Publication)
		want     string
	}{
		"scopes as asked for": {scoped, func(*Publication) {}, `t0ken|Bearer|2026-03-01T12:00:00Z|id|a,b|{"Authorization":"Bearer t0ken"}`},
		"scopes as granted":   {scoped, func(p *Publication) { p.Persisted.Granted = []string{"a"} }, `t0ken|Bearer|2026-03-01T12:00:00Z|id|a|{"Authorization":"Bearer t0ken"}`},
		"another type":        {scoped, func(p *Publication) { p.Token.Type = "JWT" }, `t0ken|JWT|2026-03-01T12:00:00Z|id|a,b|{"Authorization":"JWT t0ken"}`},
		"algonomy's header": {
			v1alpha1.Provider{Algonomy: &v1alpha1.Algonomy{URL: "https://x.example.com", API: "Profile"}}, func(*Publication) {},
			`t0ken|Bearer|2026-03-01T12:00:00Z|||{"access_token":"t0ken","tenant_hash":"th"}`,
		},
		"basic": {v1alpha1.Provider{Basic: &v1alpha1.Basic{}}, func(*Publication) {}, `dGk6dHM=|Basic||ti||{"Authorization":"Basic dGk6dHM="}`},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			obj := steady().Object
			obj.Spec.Target.Data = all
			p := publicationFor(t, tc.provider)
			tc.change(p)
			data, err := TargetData(obj, p)
			if err != nil {
				t.Fatal(err)
			}
			if got := string(data["line"]); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
	t.Run("a template takes the place of a header", func(t *testing.T) {
		t.Parallel()
		obj := steady().Object
		obj.Spec.Target.Data = map[string]v1alpha1.DataTemplate{"tenant_hash": "mine", "authorization": "Bearer {{ .token }}"}
		data, err := TargetData(obj, publicationFor(t, v1alpha1.Provider{Algonomy: &v1alpha1.Algonomy{URL: "https://x.example.com", API: "Profile"}}))
		if diff := cmp.Diff(map[string]string{"token": "t0ken", "tenant_hash": "mine", "authorization": "Bearer t0ken"}, dataTexts(data)); diff != "" || err != nil {
			t.Errorf("%v, -want +got:\n%s", err, diff)
		}
	})
	t.Run("as large as templates and values may be", func(t *testing.T) {
		t.Parallel()
		obj := steady().Object
		obj.Spec.Target.Data = map[string]v1alpha1.DataTemplate{"x": v1alpha1.DataTemplate(strings.Repeat("{{ .token }}", 16))}
		p := publicationFor(t, apsisAt("https://x.example.com"))
		p.Token.Value = exchange.Secret(strings.Repeat("t", exchange.MaxSecret))
		data, err := TargetData(obj, p)
		if err != nil || len(data["x"]) != 256<<10 {
			t.Errorf("got %d bytes, %v", len(data["x"]), err)
		}
	})
	if exchange.MaxSecret != render.MaxSecret {
		t.Errorf("a token has up to %d bytes and the check of templates counts it as %d", exchange.MaxSecret, render.MaxSecret)
	}
}

// TestTargetMetadataIsOursAndTheSpecs: ours and that of spec.target; never the object's own, which a GitOps tool would take for its mark.
func TestTargetMetadataIsOursAndTheSpecs(t *testing.T) {
	t.Parallel()
	obj := steady().Object
	obj.Labels = map[string]string{"argocd.argoproj.io/instance": "app"}
	obj.Annotations = map[string]string{"argocd.argoproj.io/tracking-id": "app:x"}
	obj.Spec.Target.Labels = map[string]v1alpha1.LabelValue{"team": "red"}
	obj.Spec.Target.Annotations = map[string]v1alpha1.AnnotationValue{"note": "x"}
	want := TargetMetadata{
		Labels: map[string]string{"team": "red", "app.kubernetes.io/managed-by": "cdp-credential-operator"},
		Annotations: map[string]string{
			"note": "x", "cdpcredentials.io/credential": "etl", "cdpcredentials.io/expires-at": "2026-03-01T12:00:00Z",
		},
		Owner: &metav1.OwnerReference{APIVersion: "cdpcredentials.io/v1alpha1", Kind: "CDPCredential", Name: "etl", UID: uid, Controller: new(true)},
	}
	if diff := cmp.Diff(want, desiredMetadata(obj, at("12:00:00.999"), false), cmp.AllowUnexported(TargetMetadata{})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if obj.Spec.Target.Labels["app.kubernetes.io/managed-by"] != "" || len(obj.Spec.Target.Annotations) != 1 {
		t.Error("the spec was written to")
	}
	// basic does not expire, and with Retain the Secret outlives the object.
	obj.Spec.Target = v1alpha1.Target{DeletionPolicy: "Retain"}
	want = TargetMetadata{
		Labels:      map[string]string{"app.kubernetes.io/managed-by": "cdp-credential-operator"},
		Annotations: map[string]string{"cdpcredentials.io/credential": "etl"},
	}
	if diff := cmp.Diff(want, desiredMetadata(obj, time.Time{}, false), cmp.AllowUnexported(TargetMetadata{})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestExpiryTextIsNeverLate is never later than the truth.
func TestExpiryTextIsNeverLate(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"2026-03-01T12:00:00Z": "2026-03-01T12:00:00Z", "2026-03-01T12:00:00.999999999Z": "2026-03-01T12:00:00Z", "2026-03-01T13:30:00+01:30": "2026-03-01T12:00:00Z",
	} {
		expires, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		if got := expiryText(expires); got != want {
			t.Errorf("%s: got %s", text, got)
		}
	}
}

// TestOwnerReferencesKeepOthers: our reference is there once and right, others stay as they are.
func TestOwnerReferencesKeepOthers(t *testing.T) {
	t.Parallel()
	ours := ownedByUs()[0]
	older, restored := ours, ours
	older.APIVersion = "cdpcredentials.io/v1alpha0"
	restored.UID = "of-before-the-restore"
	theirs := metav1.OwnerReference{APIVersion: "v1", Kind: "ConfigMap", Name: "etl", UID: "1"}
	otherKind := metav1.OwnerReference{APIVersion: "example.com/v1", Kind: "CDPCredential", Name: "etl", UID: "2"}
	otherName := metav1.OwnerReference{APIVersion: "cdpcredentials.io/v1alpha1", Kind: "CDPCredential", Name: "other", UID: "3"}
	type refs = []metav1.OwnerReference
	tests := map[string]struct{ have, want, retained refs }{
		"none":                    {nil, refs{ours}, nil},
		"ours":                    {refs{ours}, refs{ours}, refs{}},
		"ours, twice":             {refs{ours, ours}, refs{ours}, refs{}},
		"of before a restore":     {refs{restored}, refs{ours}, refs{}},
		"of an older version":     {refs{older}, refs{ours}, refs{}},
		"theirs":                  {refs{theirs}, refs{theirs, ours}, refs{theirs}},
		"theirs and ours":         {refs{theirs, restored}, refs{theirs, ours}, refs{theirs}},
		"another group":           {refs{otherKind}, refs{otherKind, ours}, refs{otherKind}},
		"another object's":        {refs{otherName}, refs{otherName, ours}, refs{otherName}},
		"of before, and one more": {refs{restored, theirs}, refs{theirs, ours}, refs{theirs}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			obj := steady().Object
			want := desiredMetadata(obj, at("12:00:00"), false)
			if diff := cmp.Diff(tc.want, want.OwnerReferences(tc.have)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			obj.Spec.Target.DeletionPolicy = "Retain"
			want = desiredMetadata(obj, at("12:00:00"), false)
			if diff := cmp.Diff(tc.retained, want.OwnerReferences(tc.have)); diff != "" {
				t.Errorf("with Retain, -want +got:\n%s", diff)
			}
		})
	}
}

// TestUnusableTargetIsNotWritten: a Secret that was handed over but cannot be written, or would be written by two.
func TestUnusableTargetIsNotWritten(t *testing.T) {
	t.Parallel()
	controller := func(ref metav1.OwnerReference) *corev1.Secret {
		return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{OwnerReferences: []metav1.OwnerReference{ref}}}
	}
	tests := map[string]struct {
		secret *corev1.Secret
		want   string
	}{
		"plain":             {&corev1.Secret{}, ""},
		"Opaque":            {&corev1.Secret{Type: "Opaque"}, ""},
		"immutable":         {&corev1.Secret{Immutable: new(true)}, "is immutable"},
		"immutable: false":  {&corev1.Secret{Immutable: new(false)}, ""},
		"of another type":   {&corev1.Secret{Type: "kubernetes.io/tls"}, "is not of type Opaque"},
		"of a telling type": {&corev1.Secret{Type: "hunter2"}, "is not of type Opaque"},
		"ours":              {controller(ownedByUs()[0]), ""},
		"another's control": {controller(metav1.OwnerReference{APIVersion: "v1", Kind: "SealedSecret", Name: "x", Controller: new(true)}), "is controlled by SealedSecret x"},
		"control by a text": {controller(metav1.OwnerReference{APIVersion: "v1", Kind: "SealedSecret", Name: "Look Here", Controller: new(true)}), "is controlled by another object"},
		"control of a kind": {controller(metav1.OwnerReference{APIVersion: "v1", Kind: "see http://x", Name: "x", Controller: new(true)}), "is controlled by another object"},
		"another's, but no": {controller(metav1.OwnerReference{APIVersion: "v1", Kind: "ConfigMap", Name: "x", Controller: new(false)}), ""},
		// The annotation decides between CDPCredentials, and it names us.
		"handed over by another object": {
			controller(metav1.OwnerReference{APIVersion: "cdpcredentials.io/v1alpha1", Kind: "CDPCredential", Name: "other", Controller: new(true)}), "",
		},
		"being deleted": {&corev1.Secret{ObjectMeta: metav1.ObjectMeta{DeletionTimestamp: new(metav1.Now())}}, "is being deleted"},
		"ours, of before a restore": {
			controller(metav1.OwnerReference{APIVersion: "cdpcredentials.io/v1alpha1", Kind: "CDPCredential", Name: "etl", UID: "1", Controller: new(true)}), "",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := unusable(tc.secret)
			if got == "" {
				got = Controlled(&tc.secret.ObjectMeta)
			}
			if got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

// TestTargetPatchTouchesOurKeysOnly is the content of the merge patch: it touches only our own keys, those that are no longer wanted included.
func TestTargetPatchTouchesOurKeysOnly(t *testing.T) {
	t.Parallel()
	bytes := func(texts map[string]string) map[string][]byte {
		data := map[string][]byte{}
		for key, value := range texts {
			data[key] = []byte(value)
		}
		return data
	}
	tests := map[string]struct {
		want map[string]string
		had  []string
		json string
	}{
		"made anew":           {map[string]string{"token": "x"}, nil, `{"token":"eA=="}`},
		"as before":           {map[string]string{"token": "x", "auth": "y"}, []string{"auth", "token"}, `{"auth":"eQ==","token":"eA=="}`},
		"a key less":          {map[string]string{"token": "x"}, []string{"auth", "token"}, `{"auth":null,"token":"eA=="}`},
		"a key more":          {map[string]string{"token": "x", "auth": "y"}, []string{"token"}, `{"auth":"eQ==","token":"eA=="}`},
		"from token to basic": {map[string]string{"username": "x"}, []string{"token"}, `{"token":null,"username":"eA=="}`},
		// A value is emptied and not taken away.
		"empty":   {map[string]string{"token": ""}, []string{"token"}, `{"token":""}`},
		"nothing": {nil, nil, `{}`},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			patch, err := json.Marshal(changes(bytes(tc.want), tc.had))
			if err != nil || string(patch) != tc.json {
				t.Errorf("got %s (%v), want %s", patch, err, tc.json)
			}
		})
	}
}

// TestVersionIsOfOneSecret: a version is that of one Secret and not of the next one of its name.
func TestVersionIsOfOneSecret(t *testing.T) {
	t.Parallel()
	version := VersionOf(&metav1.ObjectMeta{UID: "a-b", ResourceVersion: "12"})
	if version != "a-b/12" {
		t.Errorf("got %q", version)
	}
	for text, want := range map[string][2]string{"a-b/12": {"a-b", "12"}, "/": {"", ""}, "": {"", ""}, "x": {"", ""}, "a/1/2": {"a", "1/2"}} {
		if gotUID, gotVersion := SplitVersion(text); string(gotUID) != want[0] || gotVersion != want[1] {
			t.Errorf("%q: got %q and %q", text, gotUID, gotVersion)
		}
	}
}

// TestSpecDifferenceByFingerprints: what has changed in what would be sent, by fingerprints alone.
func TestSpecDifferenceByFingerprints(t *testing.T) {
	t.Parallel()
	algonomy := func(validity time.Duration, resources ...v1alpha1.Scope) v1alpha1.Provider {
		return v1alpha1.Provider{Algonomy: &v1alpha1.Algonomy{URL: "https://x.example.com", API: "Profile", Resources: resources, Validity: lasting(validity)}}
	}
	request := func(p v1alpha1.Provider, tenantHash exchange.Secret) exchange.Request {
		return exchange.Request{Flow: intentFor(p).Flow, Values: exchange.Values{"tenantHash": tenantHash}}
	}
	sent := request(algonomy(0, "basic"), "th")
	updating := sent
	updating.CurrentToken = "t0ken"
	rec := &PersistedState{Salt: []byte("salt")}
	rec.RequestHash, rec.RequestHashWithoutUpdatable = sent.Fingerprint(rec.Salt), sent.FingerprintWithoutUpdatable(rec.Salt)
	for name, tc := range map[string]struct {
		req  exchange.Request
		want Difference
	}{
		"nothing":                      {request(algonomy(0, "basic"), "th"), Same},
		"an update is not what counts": {updating, Same},
		"resources":                    {request(algonomy(0, "basic", "segments"), "th"), UpdatableOnly},
		"no resources":                 {request(algonomy(0), "th"), UpdatableOnly},
		"validity":                     {request(algonomy(time.Hour, "basic"), "th"), Different},
		"resources and validity":       {request(algonomy(time.Hour), "th"), Different},
		"tenant hash":                  {request(algonomy(0, "basic"), "x"), Different},
		"resources and tenant hash":    {request(algonomy(0), "x"), Different},
		// Of oauth2, resources are indicators in the request, and no token's can be changed.
		"another provider's resources": {request(v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{TokenURL: "https://x.example.com"}}, "th"), Different},
	} {
		if got := compareRequests(rec, tc.req); got != tc.want {
			t.Errorf("%s: got %d, want %d", name, got, tc.want)
		}
	}
	rec.RequestHashWithoutUpdatable = ""
	if got := compareRequests(rec, request(algonomy(0), "th")); got != Different {
		t.Errorf("without a second fingerprint: got %d", got)
	}
}

// TestGrantedScopesAreBounded keeps what an endpoint says within what status should hold.
func TestGrantedScopesAreBounded(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		granted []string
		want    int
	}{
		"none":             {nil, 0},
		"good":             {[]string{"cdp:records:write", "a!#[]~"}, 2},
		"blank":            {[]string{"a b", "c"}, 1},
		"quote, backslash": {[]string{`a"b`, `a\b`}, 0},
		"no ASCII":         {[]string{"é", "a\x7f", "\xff"}, 0},
		"line break":       {[]string{"a\nb"}, 0},
		"256 long":         {[]string{strings.Repeat("x", 256), strings.Repeat("x", 257)}, 1},
		"too many":         {strings.Split(strings.Repeat("x,", 500), ","), 100},
	} {
		if got := boundedScopes(tc.granted); len(got) != tc.want {
			t.Errorf("%s: kept %d", name, len(got))
		}
	}
}
