// SPDX-License-Identifier: Apache-2.0

package podrefresh

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"slices"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// An API is the API server, as far as pods are concerned.
type API interface {
	// List returns up to limit running pods of a namespace, from where the last answer's continue token says. ErrTooLarge: ask for fewer.
	List(ctx context.Context, namespace string, limit int, next string) (*corev1.PodList, error)
	// Annotate changes the annotation of a pod. ErrGone: there is none of this name with this UID any more.
	Annotate(ctx context.Context, namespace, name, uid, value string) error
}

// Errors of an API.
var (
	ErrTooLarge = errors.New("the list of pods is too large")
	ErrGone     = errors.New("the pod is gone")
)

const (
	// pageSize is how many pods are asked for at once, and maxPage how many bytes are read of the answer: a pod has up to 1.5 MiB, usually 5 KB.
	pageSize = 100
	maxPage  = 2 << 20
	// requestTimeout bounds a request, so that one that hangs does not keep a place.
	requestTimeout = 10 * time.Second
)

// pods gives the running pods of a namespace, page by page. After an error there are no more.
func pods(ctx context.Context, api API, namespace string) iter.Seq2[*corev1.Pod, error] {
	return func(yield func(*corev1.Pod, error) bool) {
		limit, next := pageSize, ""
		for {
			page, err := api.List(ctx, namespace, limit, next)
			if errors.Is(err, ErrTooLarge) && limit > 1 {
				limit = max(limit/8, 1)
				continue
			}
			if err != nil {
				yield(nil, err)
				return
			}
			for i := range page.Items {
				if !yield(&page.Items[i], nil) {
					return
				}
			}
			if next = page.Continue; next == "" {
				return
			}
		}
	}
}

// apiServer is the real API.
type apiServer struct{ client rest.Interface }

// NewAPI uses a connection that is there already. Nil: it makes one of its own.
func NewAPI(config *rest.Config, connection *http.Client) (API, error) {
	config = rest.CopyConfig(config)
	config.APIPath, config.GroupVersion = "/api", &corev1.SchemeGroupVersion
	config.NegotiatedSerializer = clientgoscheme.Codecs.WithoutConversion()
	config.ContentType, config.AcceptContentTypes = runtime.ContentTypeProtobuf, runtime.ContentTypeProtobuf
	if connection == nil {
		var err error
		if connection, err = rest.HTTPClientFor(config); err != nil {
			return nil, fmt.Errorf("make a connection for pods: %w", err)
		}
	}
	client, err := rest.RESTClientForConfigAndClient(config, connection)
	if err != nil {
		return nil, fmt.Errorf("make a client for pods: %w", err)
	}
	return apiServer{client}, nil
}

// List implements API. The answer is read as bytes first, as a list of a tenant's pods may be of any size.
func (a apiServer) List(ctx context.Context, namespace string, limit int, next string) (*corev1.PodList, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	request := a.client.Get().Namespace(namespace).Resource("pods").Param("limit", strconv.Itoa(limit)).Param("fieldSelector", "status.phase=Running")
	if next != "" {
		request.Param("continue", next)
	}
	answer, err := request.Stream(ctx)
	if err != nil {
		return nil, fmt.Errorf("list pods: %w", err)
	}
	defer func() { _ = answer.Close() }()
	content, err := io.ReadAll(io.LimitReader(answer, maxPage+1))
	if err != nil {
		return nil, fmt.Errorf("list pods: %w", err)
	}
	if len(content) > maxPage {
		return nil, ErrTooLarge
	}
	page := &corev1.PodList{}
	if err := runtime.DecodeInto(clientgoscheme.Codecs.UniversalDeserializer(), content, page); err != nil {
		return nil, fmt.Errorf("read the list of pods: %w", err)
	}
	return page, nil
}

// metadataOnly has the API server answer with no more of a pod than that.
const metadataOnly = "application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"

// Annotate implements API.
func (a apiServer) Annotate(ctx context.Context, namespace, name, uid, value string) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": uid, "annotations": map[string]string{v1alpha1.SecretVersionAnnotation: value}}})
	if err != nil {
		return fmt.Errorf("write the patch of a pod: %w", err)
	}
	opts := &metav1.PatchOptions{FieldManager: v1alpha1.ManagedBy}
	err = a.client.Patch(types.MergePatchType).SetHeader("Accept", metadataOnly).Namespace(namespace).Resource("pods").Name(name).
		VersionedParams(opts, clientgoscheme.ParameterCodec).Body(patch).Do(ctx).Error()
	if apierrors.IsNotFound(err) || isAnotherPod(err) {
		return ErrGone
	} else if err != nil {
		return fmt.Errorf("patch pod %s: %w", name, err)
	}
	return nil
}

// isAnotherPod reports whether a patch was refused since a new pod has the name.
func isAnotherPod(err error) bool {
	status, ok := errors.AsType[*apierrors.StatusError](err)
	if !ok || status.ErrStatus.Details == nil {
		return false
	}
	return slices.ContainsFunc(status.ErrStatus.Details.Causes, func(cause metav1.StatusCause) bool { return cause.Field == "metadata.uid" })
}
