// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"testing"

	"go.uber.org/zap/zapcore"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/clientcmd"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
)

// TestHeapHoldsNoSecrets runs the operator in a process of its own, lets it issue, renew, move and fail to get tokens, and searches everything that
// others could see of it, and its heap. Unrelated Secrets were in the same namespace all the time. Go does not wipe freed memory, so that is not
// searched; and connections keep the last data that they sent and received until they are closed as idle, which is done at once here. The outputs of
// all other tests are searched, too: see searchTheRun.
func TestHeapHoldsNoSecrets(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.manager = s.namespace
	bystander := "bystander-" + random()
	s.createSecret("bystander", map[string]string{"password": bystander}, map[string]string{
		corev1.LastAppliedConfigAnnotation: `{"stringData":{"password":"` + bystander + `"}}`,
	})
	child := s.heapChild()
	etl := s.ready("etl")
	web := s.ready("web")
	web.edit(renamed)
	web.waitIssued(1)
	etl.request("now")
	etl.waitIssued(2)
	bad, obj := s.prepare("bad")
	bad.editClient(func(secret *corev1.Secret) { secret.Data["client-secret"] = []byte("wrong" + bad.known.Secret) })
	s.must(s.Client.Create(t.Context(), obj))
	bad.waitFailed("Stalled", "CredentialsRejected")

	secrets := append(s.endpoints.Secrets(), bystander)
	documents, err := s.documentsOf(t.Context(), s.namespace)
	s.must(err)
	log := child.log.Bytes()
	if !bytes.Contains(log, []byte("Starting workers")) {
		t.Error("the log is not the operator's")
	}
	if err := searchAll(append(documents, document{"the log", log}), secrets); err != nil {
		t.Error(err)
	}

	// The goroutines of connections take a moment to end.
	s.until(patience, "a heap without secrets", func() error {
		control := "control-" + random()
		dump := child.dump(s, control)
		if len(newNeedles([]string{control}).in(dump)) == 0 {
			t.Fatal("the dump does not contain the control text")
		}
		if found := newNeedles(secrets).in(dump); found != nil {
			return fmt.Errorf("the heap contains %d secrets, the first is the %.400s", len(found), found[0])
		}
		return nil
	})
}

// heapChild is a process that runs an operator.
type heapChild struct {
	in   io.WriteCloser
	out  *bufio.Scanner
	log  *syncBuffer
	file string
}

// syncBuffer can be read while it is written.
type syncBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *syncBuffer) Bytes() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return bytes.Clone(b.buffer.Bytes())
}

const heapChildVariable = "CDP_TEST_HEAP_CHILD"

func (s *stage) heapChild() *heapChild {
	s.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestHeapOfTheChildProcess$")
	child := &heapChild{file: s.TempDir() + "/heap", log: &syncBuffer{}}
	cmd.Env = append(os.Environ(), heapChildVariable+"="+strings.Join([]string{s.identity.kubeconfig, s.namespace, child.file}, " "))
	cmd.Stderr = child.log
	var err error
	child.in, err = cmd.StdinPipe()
	s.must(err)
	out, err := cmd.StdoutPipe()
	s.must(err)
	child.out = bufio.NewScanner(out)
	s.must(cmd.Start())
	s.Cleanup(func() {
		child.in.Close()
		if err := cmd.Wait(); err != nil {
			s.Errorf("the child ended with %v:\n%s", err, child.log.Bytes())
		}
	})
	if !child.out.Scan() || child.out.Text() != "ready" {
		s.Fatalf("the child printed %q:\n%s", child.out.Text(), child.log.Bytes())
	}
	return child
}

// dump lets the child keep control in memory, and returns its heap.
func (c *heapChild) dump(s *stage, control string) []byte {
	s.Helper()
	_, err := fmt.Fprintln(c.in, control)
	s.must(err)
	if !c.out.Scan() || c.out.Text() != "dumped" {
		s.Fatalf("the child printed %q", c.out.Text())
	}
	content, err := os.ReadFile(c.file)
	s.must(err)
	return content
}

// TestHeapOfTheChildProcess is the process that TestHeapHoldsNoSecrets examines. It knows no secrets but those that its operator reads.
func TestHeapOfTheChildProcess(t *testing.T) {
	job := strings.Fields(os.Getenv(heapChildVariable))
	if len(job) == 0 {
		t.Skip("run by TestHeapHoldsNoSecrets")
	}
	ctrl.SetLogger(zap.New(zap.WriteTo(os.Stderr), zap.Level(zapcore.Level(-6))))
	if err := beHeapChild(t.Context(), job[0], job[1], job[2]); err != nil {
		t.Fatal(err)
	}
}

func beHeapChild(ctx context.Context, kubeconfig, namespace, file string) error {
	restConfig, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	mgr, transports, err := assemble(ctx, restConfig, namespace, assembly{})
	if err != nil {
		cancel()
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	defer func() { <-ended }()
	defer cancel()
	if !mgr.GetCache().WaitForCacheSync(ctx) {
		return errors.New("the cache did not sync")
	}
	fmt.Println("ready")
	asked := bufio.NewScanner(os.Stdin)
	var held []string
	for asked.Scan() {
		held = append(held, strings.Clone(asked.Text()))
		transports.CloseIdleConnections()
		if err := dumpHeap(file); err != nil {
			return err
		}
		fmt.Println("dumped")
	}
	runtime.KeepAlive(held)
	return nil
}

func dumpHeap(file string) error {
	for range 3 { // sync.Pool's victims survive one collection
		runtime.GC()
	}
	debug.FreeOSMemory()
	dump, err := os.Create(file)
	if err != nil {
		return err
	}
	debug.WriteHeapDump(dump.Fd())
	return dump.Close()
}
