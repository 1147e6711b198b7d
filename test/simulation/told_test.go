package simulation

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// TestAnOutageIsTold: an endpoint fails for good. Each of a hundred objects says so a minute before its token dies, though most of them never had a
// turn to ask, and none of those that are dead points to a condition that says that all is well.
func TestAnOutageIsTold(t *testing.T) {
	const size = 100
	for _, trouble := range []trouble{serverError, throttlingRetryAfter} {
		w, _ := plainWorld(newWiring(t), nil)
		w.workers = 32
		w.vendors.hosts[oauthHost].lifetime = 15 * time.Minute
		untold, misled, next := 0, 0, 0
		if broken := w.watched(func() {
			w.judge.objects = nil
			for i := range size {
				o := &object{w: w, name: types.NamespacedName{Namespace: fmt.Sprintf("team-%02d", i%10), Name: fmt.Sprintf("credential-%03d", i)}}
				w.judge.objects = append(w.judge.objects, o)
				o.apply("oauth2")
			}
			w.startReplica(0)
			w.runFor(time.Minute)
			w.vendors.hosts[oauthHost].trouble = trouble
			told := map[types.NamespacedName]bool{}
			for range 18 * 60 {
				w.runFor(time.Second)
				for _, o := range w.judge.objects {
					s := &o.get().Status
					if at := s.NextRefreshTime; at != nil && w.local().Sub(at.Time) > heldUpAfter+10*time.Second {
						next++
					}
					left := s.TokenExpirationTime.Sub(w.local())
					if left < time.Minute && !told[o.name] {
						told[o.name] = true
						if !isFalse(s, v1alpha1.ConditionRefreshed) || meta.FindStatusCondition(s.Conditions, v1alpha1.ConditionReconciling) == nil {
							untold++
						}
					}
					ready := meta.FindStatusCondition(s.Conditions, v1alpha1.ConditionReady)
					if strings.Contains(ready.Message, "see the condition Refreshed") && !isFalse(s, v1alpha1.ConditionRefreshed) {
						misled++
					}
				}
			}
			if len(told) != size {
				t.Errorf("trouble %v: only %d tokens have come near their end", trouble, len(told))
			}
		}); broken != nil {
			t.Error(broken)
		}
		if untold+misled+next > 0 {
			t.Errorf("trouble %v: %d of %d objects said nothing a minute before the end; Ready misled %d times; nextRefreshTime was long past %d times", trouble, untold, size, misled, next)
		}
	}
}

// heldUpAfter is how long an exchange waits for its turn before that is told.
const heldUpAfter = time.Minute

func isFalse(s *v1alpha1.CDPCredentialStatus, kind string) bool {
	return meta.IsStatusConditionFalse(s.Conditions, kind)
}
