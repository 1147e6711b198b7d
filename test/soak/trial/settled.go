// SPDX-License-Identifier: Apache-2.0

package trial

import (
	"context"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// patience is how long recovery may take once faults have ended: a breaker's longest pause, with a margin.
const patience = 75 * time.Second

// settle waits until every object has recovered, and returns what is wrong after too long.
func settle(ctx context.Context, admin client.Client, members []*member, most time.Duration, say func(string, ...any)) []string {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	for i := 1; ; i++ {
		wrong, err := unsettled(ctx, admin, members)
		if err == nil && len(wrong) == 0 {
			return nil
		}
		if i%40 == 0 {
			say("not recovered yet: %d, %s", len(wrong), strings.Join(wrong[:min(2, len(wrong))], "; "))
		}
		pause(ctx, 250*time.Millisecond)
		if ctx.Err() == nil {
			continue
		}
		if err != nil && len(wrong) == 0 {
			return []string{fmt.Sprintf("list the objects: %v", err)}
		}
		return wrong
	}
}

// unsettled returns what is wrong, object by object.
func unsettled(ctx context.Context, admin client.Client, members []*member) ([]string, error) {
	var objects v1alpha1.CDPCredentialList
	var secrets corev1.SecretList
	if err := admin.List(ctx, &objects); err != nil {
		return nil, err
	}
	if err := admin.List(ctx, &secrets); err != nil {
		return nil, err
	}
	objectOf, secretOf := map[string]*v1alpha1.CDPCredential{}, map[string]*corev1.Secret{}
	for i := range objects.Items {
		objectOf[objects.Items[i].Namespace+"/"+objects.Items[i].Name] = &objects.Items[i]
	}
	for i := range secrets.Items {
		secretOf[secrets.Items[i].Namespace+"/"+secrets.Items[i].Name] = &secrets.Items[i]
	}
	var wrong []string
	now := time.Now()
	for _, m := range members {
		obj, secret := objectOf[m.String()], secretOf[m.namespace+"/"+m.target()]
		if v, _ := judge(m, secret, now); v != good {
			wrong = append(wrong, fmt.Sprintf("%s: its target has: %s", m, v))
		} else if obj == nil {
			wrong = append(wrong, fmt.Sprintf("%s: the object is gone", m))
		} else if why := disagreement(obj, secret, now); why != "" {
			wrong = append(wrong, fmt.Sprintf("%s: %s", m, why))
		}
	}
	return wrong, nil
}

// disagreement returns how status and target disagree. Empty: they agree.
func disagreement(obj *v1alpha1.CDPCredential, secret *corev1.Secret, now time.Time) string {
	status := &obj.Status
	switch {
	case !meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionReady):
		return "it is not Ready"
	case status.ObservedGeneration != obj.Generation:
		return "status has an earlier observedGeneration"
	case status.TokenExpirationTime == nil || status.TokenExpirationTime.UTC().Format(time.RFC3339) != secret.Annotations[v1alpha1.ExpiresAtAnnotation]:
		return "status and target have different times of expiry"
	case status.TargetVersion != string(secret.UID)+"/"+secret.ResourceVersion:
		return "status has another version of the target"
	case secret.Labels[v1alpha1.ManagedByLabel] != v1alpha1.ManagedBy:
		return "the target lacks the operator's label"
	case obj.Annotations[v1alpha1.RefreshRequestedAtAnnotation] != status.LastHandledRefreshRequest:
		return "a refresh request is not handled"
	}
	if shape, _, set := strings.Cut(string(obj.Spec.Target.Data["shape"]), " "); set && !strings.HasPrefix(string(secret.Data["shape"]), shape+" ") {
		return "the target has the data of an earlier template"
	}
	return unfinished(status, now)
}

// unfinished returns why a refresh is not complete. Empty: it succeeded, or the next attempt is planned.
func unfinished(status *v1alpha1.CDPCredentialStatus, now time.Time) string {
	refreshed := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionRefreshed)
	switch {
	case refreshed == nil:
		return "the condition Refreshed is missing"
	case refreshed.Status == "True":
		return ""
	case status.NextRefreshTime == nil || !status.NextRefreshTime.After(now):
		return "its last refresh failed (" + refreshed.Reason + "), and no next attempt is planned"
	}
	return ""
}

// turnedAway returns what is wrong with objects whose target is a foreign Secret.
func turnedAway(ctx context.Context, admin client.Client, members []*member) []string {
	var wrong []string
	for _, m := range members {
		obj := &v1alpha1.CDPCredential{}
		if err := admin.Get(ctx, client.ObjectKey{Namespace: m.namespace, Name: m.name}, obj); err != nil {
			wrong = append(wrong, fmt.Sprintf("%s: %v", m, err))
			continue
		}
		refreshed := meta.FindStatusCondition(obj.Status.Conditions, v1alpha1.ConditionRefreshed)
		if refreshed == nil || refreshed.Reason != v1alpha1.ReasonTargetNotOwned {
			wrong = append(wrong, fmt.Sprintf("%s: its target is a foreign Secret, but Refreshed does not say so", m))
		}
		if n := m.site.server.Issued(m.client.System, m.client.ID); n > 0 {
			wrong = append(wrong, fmt.Sprintf("%s: its target is a foreign Secret, but %d tokens were issued for it", m, n))
		}
	}
	return wrong
}
