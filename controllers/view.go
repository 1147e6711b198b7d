package controllers

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
)

// A view is all that a pass decides from: the object, its two Secrets, and the time. Deciding from it is pure.
type view struct {
	now time.Time
	obj *v1alpha1.CDPCredential
	// saved is the object's status as the API server has it; obj has the one that could not be written, if there is one.
	saved v1alpha1.CDPCredentialStatus

	intent    intent
	intentErr error
	// allowed are the hosts that an administrator consented to for everybody.
	allowed egress.Hosts
	// only are the hosts to which an administrator limited everybody. Empty: no limit.
	only egress.Hosts
	// allowedMetadata are the keys and prefixes of target metadata that an administrator opened though they make other controllers act.
	allowedMetadata []string

	client clientView
	// target is the Secret that spec.target names, held the one that has the token: the same, or the target of before a renaming.
	target, held targetView
	// difference is what has changed in what would be sent since the held token was issued.
	difference difference
	// attemptUnchanged says that the client Secret has another version than at the failed attempt but the same values.
	attemptUnchanged bool
	// ahead is by how much the local clock is ahead of the reconciler's, and statusAhead the same of the clock that the times in status were on. All
	// times in a view, those of status and of the records included, are on the reconciler's.
	ahead, statusAhead time.Duration
	// updateRefused says that the vendor did not change the held token's resources.
	updateRefused bool
	// repeated says that the endpoint gave the held token again when it was to be renewed.
	repeated bool
	// rejected says that the API answered 401 to the held token.
	rejected bool
	// issuedAt and issuance are what this process remembers of the last token that it was given. Zero: nothing. inHand says that this token
	// has yet to be written.
	issuedAt time.Time
	// newTokenAt is the same without answers with the held token.
	newTokenAt time.Time
	issuance   *v1alpha1.Issuance
	inHand     bool
	// repairs are those of the target that this process has made lately.
	repairs quickRepairs
	// throttled says that this process remembers a 429 which has not been waited out.
	throttled bool
}

// A clientView is what is known of the client Secret.
type clientView struct {
	found   bool
	version string
	// allowedHosts, allowedCA and allowBasic are the annotations with which its owner consents to uses of it.
	allowedHosts, allowedCA, allowBasic string
	// managed says that the operator writes or wrote it for a CDPCredential, and state is the record of that.
	managed bool
	state   string
	// secret is nil unless this pass has read it.
	secret *corev1.Secret
}

// clientViewOf is what the metadata of a client Secret says.
func clientViewOf(meta *metav1.ObjectMeta) clientView {
	return clientView{
		found: true, version: versionOf(meta),
		allowedHosts: meta.Annotations[v1alpha1.AllowedHostsAnnotation], allowedCA: meta.Annotations[v1alpha1.AllowedCAAnnotation],
		allowBasic: meta.Annotations[v1alpha1.AllowBasicAnnotation],
		managed:    meta.Annotations[v1alpha1.CredentialAnnotation] != "", state: meta.Annotations[v1alpha1.StateAnnotation],
	}
}

// A targetView is what is known of a target Secret.
type targetView struct {
	name    string
	found   bool
	version string
	meta    metav1.ObjectMeta
	// rec is nil where there is no record of ours, or none that can be read.
	rec     *record
	content content
	// unusable says why the Secret could not be written though it was handed over.
	unusable string
	// foreign names keys of others in the Secret, as foreignKeys does.
	foreign string
	// secret is nil unless this pass has read it.
	secret *corev1.Secret
}

// content is the state of a target Secret's data.
type content int

const (
	// intact: as we wrote it.
	intact content = iota
	// edited: the token is, other keys are not.
	edited
	// replaced: the token is not the one that we wrote, or there never was one.
	replaced
)

// difference is what has changed in what would be sent.
type difference int

const (
	same difference = iota
	resourcesOnly
	different
)

// owner is the name of the CDPCredential that owns the Secret's content. Empty: none does.
func (t *targetView) owner() string { return t.meta.Annotations[v1alpha1.CredentialAnnotation] }

// has says whether the Secret holds a token of ours, expired or not.
func (t *targetView) has() bool { return t.found && t.rec != nil && t.content != replaced }

// holds says whether the Secret holds a token that is still good.
func (t *targetView) holds(now time.Time) bool { return t.has() && !t.rec.expired(now) }

// moving says whether the token has yet to be moved from the target of before a renaming.
func (v *view) moving() bool { return v.held.name != v.target.name }

func versionOf(meta metav1.Object) string {
	return string(meta.GetUID()) + "/" + meta.GetResourceVersion()
}

// splitVersion is the inverse of versionOf.
func splitVersion(version string) (uid types.UID, resourceVersion string) {
	for i := range len(version) {
		if version[i] == '/' {
			return types.UID(version[:i]), version[i+1:]
		}
	}
	return "", ""
}
