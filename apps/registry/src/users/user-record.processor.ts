import { Injectable } from '@nestjs/common';
import type { OnApplicationBootstrap } from '@nestjs/common';
import { queues } from '@switchyard/contracts';
import { QueueClient } from '@switchyard/queue';
import { UserRecordsService } from './user-records.service.js';

const concurrency = 8;

/** Takes `user-records`. */
@Injectable()
export class UserRecordProcessor implements OnApplicationBootstrap {
  constructor(
    private readonly queue: QueueClient,
    private readonly records: UserRecordsService,
  ) {}

  onApplicationBootstrap(): void {
    this.queue.consume(queues.userRecords, (record) => this.records.answer(record), { concurrency });
  }
}
