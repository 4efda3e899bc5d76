#pragma once

// What a program needs to build, train, save and run models; link with //:seqgraph. examples/ uses
// nothing else. Definitions of ops, backends and file formats of one's own have headers of theirs:
// graph/op_def.h, runtime/backend.h, serialization/.
//
// Threads: what does not change may be shared: registries, definitions, data sets, vocabularies,
// Examples, and a Model that nobody writes; so threads that only predict or evaluate share a model,
// each with a ModelRunner of its own. Everything else is for one thread at a time, any one:
// runners, trainers, builders, compiled functions, sources, callbacks, and a model that is trained
// or whose variables are set. Two models have nothing in common.

// Data: archives, folders and CSV files of labelled texts as rows of integers; series of numbers.
#include "data/plain_text.h"
#include "data/series/series_set.h"
#include "data/synthetic_topics.h"
#include "data/text_dataset.h"

// Models as graphs: a builder, ops for it, and what saves, loads and checks them.
#include "graph/function_builder.h"
#include "graph/model.h"
#include "ops/activations.h"
#include "ops/all_ops.h"
#include "ops/bce.h"
#include "ops/cross_entropy.h"
#include "ops/dense.h"
#include "ops/dropout.h"
#include "ops/elementwise.h"
#include "ops/embedding.h"
#include "ops/gru_cell.h"
#include "ops/lstm_cell.h"
#include "ops/mask.h"
#include "ops/matmul.h"
#include "ops/mse.h"
#include "ops/one_hot.h"
#include "ops/pooling.h"
#include "ops/reductions.h"
#include "ops/reshape.h"
#include "ops/rnn_cell.h"
#include "ops/softmax.h"
#include "ops/take_step.h"
#include "serialization/model_io.h"

// Models step by step, for streams.
#include "stream/stream.h"
#include "stream/stream_batch.h"
#include "stream/stream_model.h"

// Models as stacks of layers, losses, optimizers, and training with callbacks.
#include "training/csv_logger.h"
#include "training/early_stopping.h"
#include "training/lambda_callback.h"
#include "training/learning_rate_scheduler.h"
#include "training/model_builder.h"
#include "training/model_checkpoint.h"
#include "training/model_runner.h"
#include "training/preprocessing.h"
#include "training/progress.h"
#include "training/reduce_lr_on_plateau.h"
#include "training/sequential.h"
#include "training/summary.h"
#include "training/tensorboard/tensorboard.h"
#include "training/terminate_on_nan.h"
#include "training/text_generator.h"
#include "training/trainer.h"

// Models of series of numbers by task, and what can be told without one.
#include "training/series/baseline.h"
#include "training/series/scaling.h"
#include "training/series/series_examples.h"
#include "training/series/series_model.h"
#include "training/series/series_task.h"
#include "training/series/split.h"
#include "training/series/windows.h"
