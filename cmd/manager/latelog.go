package main

import (
	"slices"

	"github.com/go-logr/logr"
)

// A lateSink gives values to its logger only when something is logged. controller-runtime names each pass in a logger of its own, for which zap
// makes an encoder that hardly ever is used: a tenth of what a pass allocates.
type lateSink struct {
	logr.LogSink
	values []any
}

// late is a logger that logs the same.
func late(log logr.Logger) logr.Logger {
	sink := log.GetSink()
	if deep, ok := sink.(logr.CallDepthLogSink); ok {
		sink = deep.WithCallDepth(1) // that of lateSink itself
	}
	return log.WithSink(lateSink{LogSink: sink})
}

// Info implements logr.LogSink.
func (s lateSink) Info(level int, message string, values ...any) {
	s.LogSink.Info(level, message, slices.Concat(s.values, values)...)
}

// Error implements logr.LogSink.
func (s lateSink) Error(err error, message string, values ...any) {
	s.LogSink.Error(err, message, slices.Concat(s.values, values)...)
}

// WithValues implements logr.LogSink.
func (s lateSink) WithValues(values ...any) logr.LogSink {
	return lateSink{s.LogSink, slices.Concat(s.values, values)}
}

// WithName implements logr.LogSink.
func (s lateSink) WithName(name string) logr.LogSink {
	return lateSink{s.LogSink.WithName(name), s.values}
}
