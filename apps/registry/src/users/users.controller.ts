import { Body, Controller, Get, Param, Patch, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Page } from '@switchyard/service-kit';
import { Admin } from '../admin/admin-context.js';
import type { AdminContext } from '../admin/admin-context.js';
import { ResourceId } from '../http/fields.js';
import { Answers, pageOf } from '../openapi/answers.js';
import { ListUsers, UpdateUser, UserAnswer } from './user.schemas.js';
import type { ListUsersQuery, UpdateUserBody, UserAnswerBody } from './user.schemas.js';
import { UsersService } from './users.service.js';

const id = { schema: ResourceId };

@ApiTags('users')
@Controller('api/users')
export class UsersController {
  constructor(private readonly users: UsersService) {}

  @Get()
  @Answers({
    summary: 'List the users who were seen, in the order of their first visit',
    status: 200,
    schema: pageOf(UserAnswer),
    errors: ['invalid_request'],
  })
  list(
    @Admin() admin: AdminContext,
    @Query({ schema: ListUsers }) query: ListUsersQuery,
  ): Promise<Page<UserAnswerBody>> {
    return this.users.list(admin, query);
  }

  @Get(':id')
  @Answers({ summary: 'Read a user', status: 200, schema: UserAnswer, errors: ['not_found'] })
  get(@Admin() admin: AdminContext, @Param('id', id) userId: string): Promise<UserAnswerBody> {
    return this.users.get(admin, userId);
  }

  @Patch(':id')
  @Answers({
    summary: 'Deactivate a user, or let them in again',
    status: 200,
    schema: UserAnswer,
    errors: ['invalid_request', 'not_found', 'conflict'],
  })
  update(
    @Admin() admin: AdminContext,
    @Param('id', id) userId: string,
    @Body({ schema: UpdateUser }) body: UpdateUserBody,
  ): Promise<UserAnswerBody> {
    return this.users.update(admin, userId, body);
  }
}
