package main

import (
	"bytes"
	"encoding/gob"
	"io"
	"sync"

	"github.com/hashicorp/raft"
)

// A store of values by key. A command is a key, of a fixed length, and a value.
type store struct {
	reading sync.RWMutex
	values  map[string][]byte
}

const keyLength = 16

func (s *store) get(key string) []byte {
	s.reading.RLock()
	defer s.reading.RUnlock()
	return s.values[key]
}

// Apply puts a value.
func (s *store) Apply(entry *raft.Log) interface{} {
	s.reading.Lock()
	defer s.reading.Unlock()
	s.values[string(entry.Data[:keyLength])] = entry.Data[keyLength:]
	return nil
}

// Snapshot copies the map; values never change in place.
func (s *store) Snapshot() (raft.FSMSnapshot, error) {
	s.reading.RLock()
	defer s.reading.RUnlock()
	copied := make(frozen, len(s.values))
	for key, value := range s.values {
		copied[key] = value
	}
	return copied, nil
}

// Restore reads what Persist wrote.
func (s *store) Restore(source io.ReadCloser) error {
	defer source.Close()
	values := map[string][]byte{}
	if err := gob.NewDecoder(source).Decode(&values); err != nil {
		return err
	}
	s.reading.Lock()
	defer s.reading.Unlock()
	s.values = values
	return nil
}

type frozen map[string][]byte

func (f frozen) Persist(sink raft.SnapshotSink) error {
	var encoded bytes.Buffer
	if err := gob.NewEncoder(&encoded).Encode(map[string][]byte(f)); err != nil {
		sink.Cancel()
		return err
	}
	if _, err := sink.Write(encoded.Bytes()); err != nil {
		sink.Cancel()
		return err
	}
	return sink.Close()
}

func (frozen) Release() {}
