// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// TestWarningsComeOnce: what works, but somebody should know of. Each comes once for as long as it lasts.
func TestWarningsComeOnce(t *testing.T) {
	t.Parallel()
	type given struct {
		v *State
		p *Publication
	}
	skewed := func(d time.Duration) func(given) { return func(g given) { g.p.Token.Life.Skew = d } }
	counted := func(maxPerDay, issued int32) func(given) {
		return func(g given) {
			budget(g.v, maxPerDay, 0)
			g.p.Persisted.Issuance = &v1alpha1.Issuance{Day: "2026-03-01", Count: issued}
		}
	}
	granted := func(asked, granted []string) func(given) {
		return func(g given) { g.p.Request.Flow.Issue.Scopes, g.p.Token.Granted = asked, granted }
	}
	const (
		clockSkew = "ClockSkew: The clocks of auth.example.com and of the operator differ by more than 30 s; tokens are still renewed in time: check both clocks"
		adobeJWT  = "Deprecated: Adobe has ended service account (JWT) credentials: make an OAuth server-to-server credential and use spec.provider.adobe.scopes"
	)
	tests := map[string]struct {
		given func(given)
		want  []string
	}{
		"none": {func(given) {}, nil},

		"ahead by 30 s":           {skewed(30 * time.Second), nil},
		"ahead by more":           {skewed(30*time.Second + 1), []string{clockSkew}},
		"behind by 30 s":          {skewed(-30 * time.Second), nil},
		"behind by more":          {skewed(-30*time.Second - 1), []string{clockSkew}},
		"behind by all that goes": {skewed(-1 << 63), []string{clockSkew}},

		"service account": {func(g given) {
			g.p.Request.Flow = intentFor(v1alpha1.Provider{Adobe: &v1alpha1.Adobe{ServiceAccount: &v1alpha1.AdobeServiceAccount{}}}).Flow
		}, []string{adobeJWT}},

		"all scopes granted":           {granted([]string{"a", "b"}, []string{"b", "a", "c"}), nil},
		"scopes not named":             {granted([]string{"a", "b"}, nil), nil},
		"one scope missing":            {granted([]string{"a", "b", "c"}, []string{"b", "c"}), []string{"ScopesReduced: The endpoint did not grant these scopes: a"}},
		"no scope granted":             {granted([]string{"a", "b"}, []string{}), []string{"ScopesReduced: The endpoint did not grant these scopes: a b"}},
		"no scope asked for":           {granted(nil, []string{}), nil},
		"a scope of another case":      {granted([]string{"A"}, []string{"a"}), []string{"ScopesReduced: The endpoint did not grant these scopes: A"}},
		"a percent sign in scope":      {granted([]string{"%s"}, []string{"a"}), []string{"ScopesReduced: The endpoint did not grant these scopes: %s"}},
		"below four fifths":            {counted(20, 15), nil},
		"four fifths":                  {counted(20, 16), []string{"BudgetLow: At least four fifths of the 20 tokens of spec.refresh.maxPerDay were issued today"}},
		"the last one":                 {counted(20, 20), []string{"BudgetLow: At least four fifths of the 20 tokens of spec.refresh.maxPerDay were issued today"}},
		"of three, two":                {counted(3, 2), nil},
		"of one":                       {counted(1, 1), []string{"BudgetLow: At least four fifths of the 1 tokens of spec.refresh.maxPerDay were issued today"}},
		"of more than anybody needs":   {counted(2_000_000_000, 1), nil},
		"nearly as many as are issued": {counted(2_000_000_000, 1_999_999_999), []string{"BudgetLow: At least four fifths of the 2000000000 tokens of spec.refresh.maxPerDay were issued today"}},
		"no budget":                    {func(g given) { g.p.Persisted.Issuance = &v1alpha1.Issuance{Day: "2026-03-01", Count: 1000} }, nil},
		"two at once": {func(g given) { skewed(time.Hour)(g); counted(1, 1)(g) }, []string{
			clockSkew, "BudgetLow: At least four fifths of the 1 tokens of spec.refresh.maxPerDay were issued today",
		}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := given{steady(), publicationFor(t, apsisAt("https://x.example.com"))}
			tc.given(g)
			var got []string
			for _, w := range newWarnings(g.v, nil, g.p) {
				got = append(got, w.Reason+": "+w.Message)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			// The next token's record knows of it, and it is not said again.
			g.p.Persisted.Warned = warningNames(g.v, g.p)
			if again := newWarnings(g.v, &g.p.Persisted, g.p); again != nil {
				t.Errorf("said again: %v", again)
			}
		})
	}
}

// TestWarningsComeAgainAfterAChange: what has changed since, or came back, is said again.
func TestWarningsComeAgainAfterAChange(t *testing.T) {
	t.Parallel()
	s, p := steady(), publicationFor(t, apsisAt("https://x.example.com"))
	budget(s, 10, 0)
	said := func(day string, count int32, granted ...string) (reasons []string) {
		p.Request.Flow.Issue.Scopes, p.Token.Granted = []string{"a", "b", "c"}, granted
		p.Persisted.Issuance = &v1alpha1.Issuance{Day: day, Count: count}
		old := p.Persisted
		for _, w := range newWarnings(s, &old, p) {
			reasons = append(reasons, w.Reason)
		}
		p.Persisted.Warned = warningNames(s, p)
		return reasons
	}
	for i, tc := range []struct{ got, want []string }{
		{said("2026-03-01", 8, "a", "b"), []string{"ScopesReduced", "BudgetLow"}},
		{said("2026-03-01", 9, "a", "b"), nil},
		{said("2026-03-01", 10, "a"), []string{"ScopesReduced"}},
		{said("2026-03-02", 8, "a"), []string{"BudgetLow"}},
		{said("2026-03-02", 9, "a", "b", "c"), nil},
		{said("2026-03-02", 10, "a"), []string{"ScopesReduced"}},
	} {
		if diff := cmp.Diff(tc.want, tc.got); diff != "" {
			t.Errorf("%d, -want +got:\n%s", i, diff)
		}
	}
}
