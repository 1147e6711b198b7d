// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"context"
	"fmt"
	"os/exec"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// runJobs stands in for what a bare API server lacks: the controllers of CronJobs and Jobs, and the node. It runs the containers' commands on this
// machine, as an administrator, with the endpoint's CA certificate and the proxy to it. CronJobs run every oldInterval.
func (m *migration) runJobs() {
	last := map[string]time.Time{}
	m.loop(func(ctx context.Context) error {
		var crons batchv1.CronJobList
		if err := m.reader.cluster.Client.List(ctx, &crons, client.InNamespace(m.namespace)); err != nil {
			return err
		}
		for _, cron := range crons.Items {
			if suspended := cron.Spec.Suspend; suspended != nil && *suspended || time.Since(last[cron.Name]) < oldInterval {
				continue
			}
			last[cron.Name] = time.Now()
			if err := m.runPod(ctx, cron.Spec.JobTemplate.Spec.Template.Spec); err != nil {
				return err
			}
		}
		return m.completeJobs(ctx)
	})
}

// completeJobs runs the Jobs that somebody created.
func (m *migration) completeJobs(ctx context.Context) error {
	var jobs batchv1.JobList
	if err := m.reader.cluster.Client.List(ctx, &jobs, client.InNamespace(m.namespace)); err != nil {
		return err
	}
	for _, job := range jobs.Items {
		if job.Status.CompletionTime != nil {
			continue
		}
		started := metav1.Now()
		if err := m.runPod(ctx, job.Spec.Template.Spec); err != nil {
			return err
		}
		now := metav1.Now()
		job.Status = batchv1.JobStatus{StartTime: &started, CompletionTime: &now, Succeeded: 1}
		for _, condition := range []batchv1.JobConditionType{batchv1.JobSuccessCriteriaMet, batchv1.JobComplete} {
			job.Status.Conditions = append(job.Status.Conditions, batchv1.JobCondition{Type: condition, Status: corev1.ConditionTrue, LastTransitionTime: now})
		}
		if err := m.reader.cluster.Client.Status().Update(ctx, &job); err != nil {
			return err
		}
	}
	return nil
}

func (m *migration) runPod(ctx context.Context, pod corev1.PodSpec) error {
	container := pod.Containers[0]
	args := append(container.Command, container.Args...)
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = append(m.shellEnvironment(), "HTTPS_PROXY="+m.proxy, "CURL_CA_BUNDLE="+m.ca)
	for _, variable := range container.Env {
		var secret corev1.Secret
		ref := variable.ValueFrom.SecretKeyRef
		if err := m.reader.cluster.Client.Get(ctx, client.ObjectKey{Namespace: m.namespace, Name: ref.Name}, &secret); err != nil {
			return err
		}
		cmd.Env = append(cmd.Env, variable.Name+"="+string(secret.Data[ref.Key]))
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("run the pod of a Job: %w: %s", err, out)
	}
	m.oldWrites.Add(1)
	return nil
}

// loop calls turn five times a second until the test ends, and does the garbage collector's work.
func (m *migration) loop(turn func(context.Context) error) {
	m.Helper()
	ctx, stop := context.WithCancel(m.Context())
	ended := make(chan struct{})
	m.Cleanup(func() {
		stop()
		<-ended
	})
	go func() {
		defer close(ended)
		for ticker := time.NewTicker(200 * time.Millisecond); ; {
			select {
			case <-ctx.Done():
				ticker.Stop()
				return
			case <-ticker.C:
			}
			err := turn(ctx)
			if err == nil {
				err = m.collectGarbage(ctx)
			}
			if err != nil && ctx.Err() == nil {
				m.Error(err)
			}
		}
	}()
}

// collectGarbage deletes Secrets whose owner is gone, as kube-controller-manager does.
func (m *migration) collectGarbage(ctx context.Context) error {
	var secrets metav1.PartialObjectMetadataList
	secrets.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("SecretList"))
	if err := m.reader.cluster.Client.List(ctx, &secrets, client.InNamespace(m.namespace)); err != nil {
		return err
	}
	for _, secret := range secrets.Items {
		for _, ref := range secret.OwnerReferences {
			owner := &metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{APIVersion: ref.APIVersion, Kind: ref.Kind}}
			err := m.reader.cluster.Client.Get(ctx, client.ObjectKey{Namespace: m.namespace, Name: ref.Name}, owner)
			if client.IgnoreNotFound(err) != nil {
				return err
			}
			if err == nil && owner.UID == ref.UID {
				continue
			}
			if err := m.reader.cluster.Client.Delete(ctx, &secret); client.IgnoreNotFound(err) != nil {
				return err
			}
		}
	}
	return nil
}
