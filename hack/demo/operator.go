// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/test/framework"
)

// deploymentName is the name of the operator's Deployment in config/default.
const deploymentName = "cdp-credential-operator-controller-manager"

// An operator runs the manager according to its Deployment. The cluster has no nodes, so the demo plays the kubelet: it follows spec.replicas (none
// or one), the arguments and the environment, so that kubectl scale, set env and rollout restart work as usual.
type operator struct {
	client                          client.Client
	binary, kubeconfig, log, listen string

	manager *framework.Manager // nil: not running
	started string             // the pod template of the last start, successful or not
	failure error              // of that start
}

// startOperator creates the Deployment and starts the manager, which trusts the stand-ins' CA for the vendors' hosts.
func startOperator(ctx context.Context, c *framework.Cluster, binary, temp string, authority []byte) (*operator, error) {
	caFile := filepath.Join(temp, "ca.crt")
	if err := os.WriteFile(caFile, authority, 0o600); err != nil {
		return nil, fmt.Errorf("write the stand-ins' CA: %w", err)
	}
	kubeconfig, err := c.ManagerKubeconfig(ctx)
	if err != nil {
		return nil, err
	}
	free, err := framework.FreeAddresses(ctx, 1)
	if err != nil {
		return nil, err
	}
	o := &operator{client: c.Client, binary: binary, kubeconfig: kubeconfig, log: filepath.Join(temp, "manager.log"), listen: free[0]}
	if err := o.client.Create(ctx, deployment(caFile)); err != nil {
		return nil, fmt.Errorf("create the operator's Deployment: %w", err)
	}
	if err := o.follow(ctx); err != nil {
		return nil, err
	}
	return o, o.failure
}

// deployment returns the operator's Deployment, with the fields that the demo uses.
func deployment(caFile string) *appsv1.Deployment {
	labels := map[string]string{"control-plane": "controller-manager", "app.kubernetes.io/name": "cdp-credential-operator"}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: framework.SystemNamespace, Name: deploymentName, Labels: labels},
		Spec: appsv1.DeploymentSpec{
			Replicas: new(int32(1)),
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: corev1.PodSpec{
				ServiceAccountName: "controller-manager",
				Containers: []corev1.Container{{
					Name: "manager", Image: "cdp-credential-operator:demo",
					Args: []string{"--leader-elect", "--leader-election-namespace=" + framework.SystemNamespace, "--allowed-cidrs=127.0.0.0/8,::1/128", "--ca-file=" + caFile},
					Env:  []corev1.EnvVar{{Name: "HTTPS_PROXY", Value: os.Getenv("HTTPS_PROXY")}},
				}},
			}},
		},
	}
}

// metrics returns the URL of the metrics. It stays the same across restarts.
func (o *operator) metrics() string { return "http://" + o.listen + "/metrics" }

// keep follows the Deployment until ctx ends, which is no error, or the manager exits unexpectedly.
func (o *operator) keep(ctx context.Context) error {
	ticker := time.NewTicker(500 * time.Millisecond)
	defer ticker.Stop()
	for {
		if err := o.follow(ctx); err != nil && ctx.Err() == nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-o.ended():
			return fmt.Errorf("the manager exited unexpectedly: %w", cmp.Or(o.manager.Result(), errors.New("exit status 0")))
		case <-ticker.C:
		}
	}
}

// ended is closed when the manager exits. It is nil, which blocks forever, if none runs.
func (o *operator) ended() <-chan struct{} {
	if o.manager == nil {
		return nil
	}
	return o.manager.Ended()
}

func (o *operator) explain(err error) error {
	if o.manager == nil {
		return err
	}
	return o.manager.Explain(err)
}

// follow starts, restarts or stops the manager according to the Deployment, and updates the Deployment's status.
func (o *operator) follow(ctx context.Context) error {
	d := &appsv1.Deployment{}
	if err := o.client.Get(ctx, client.ObjectKey{Namespace: framework.SystemNamespace, Name: deploymentName}, d); err != nil {
		return client.IgnoreNotFound(err) // without a Deployment, the manager goes on as it is
	}
	template, err := json.Marshal(d.Spec.Template)
	if err != nil {
		return err
	}
	wanted := d.Spec.Replicas == nil || *d.Spec.Replicas > 0
	if o.manager != nil && (!wanted || o.started != string(template)) {
		if err := o.stop(); err != nil {
			return err
		}
	}
	switch {
	case !wanted:
		o.started, o.failure = "", nil
	case o.started != string(template):
		o.started = string(template)
		o.manager, o.failure = framework.StartManager(ctx, o.binary, o.kubeconfig, o.log, o.flags(&d.Spec.Template.Spec)...)
	}
	return o.report(ctx, d)
}

// flags returns the arguments and environment variables for framework.StartManager.
func (o *operator) flags(pod *corev1.PodSpec) []string {
	flags := []string{"--metrics-bind-address=" + o.listen}
	for _, container := range pod.Containers {
		flags = append(flags, container.Args...)
		for _, variable := range container.Env {
			flags = append(flags, variable.Name+"="+variable.Value)
		}
	}
	return flags
}

func (o *operator) stop() error {
	if o.manager == nil {
		return nil
	}
	m := o.manager
	o.manager = nil
	return m.Stop()
}

// report writes the status, which kubectl rollout status and kubectl cdpcred check read.
func (o *operator) report(ctx context.Context, d *appsv1.Deployment) error {
	status := appsv1.DeploymentStatus{ObservedGeneration: d.Generation}
	if d.Spec.Replicas == nil || *d.Spec.Replicas > 0 {
		status.Replicas, status.UpdatedReplicas, status.UnavailableReplicas = 1, 1, 1
	}
	if o.manager != nil {
		status.ReadyReplicas, status.AvailableReplicas, status.UnavailableReplicas = 1, 1, 0
	}
	if d.Status.ObservedGeneration == status.ObservedGeneration && d.Status.ReadyReplicas == status.ReadyReplicas {
		return nil
	}
	d.Status = status
	if err := o.client.Status().Update(ctx, d); !apierrors.IsConflict(err) { // on a conflict, the next poll retries
		return client.IgnoreNotFound(err)
	}
	return nil
}
